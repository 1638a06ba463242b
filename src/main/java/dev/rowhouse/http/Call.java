package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * One request as the routes see it.
 *
 * @param requestId the attempt id, which is the answer's {@code x-request-id}
 * @param segments the decoded parts of the path
 * @param connection tells when the client has left
 */
record Call(
    HttpRequest request,
    String requestId,
    List<String> segments,
    Connection connection,
    Materializer materializer,
    long receivedAtMillis) {

  /** How long a client may take for its whole body; a slower one is cut off. */
  static final long BODY_TIMEOUT_MILLIS = 30_000;

  HttpMethod method() {
    return request.method();
  }

  @Nullable String query(String name) {
    Optional<String> value = request.getUri().query().get(name);
    return value.orElse(null);
  }

  @Nullable String header(String name) {
    return request.getHeader(name).map(header -> header.value()).orElse(null);
  }

  /** Reads the whole body, at most so many bytes, and goes on with it. */
  CompletionStage<HttpResponse> withBody(
      long bytesMax,
      Function<Refusal, HttpResponse> error,
      Function<ByteString, CompletionStage<HttpResponse>> next) {
    HttpEntity entity = request.entity();
    if (entity instanceof HttpEntity.Strict strict) {
      return strict.getData().size() > bytesMax
          ? CompletableFuture.completedFuture(error.apply(tooLarge(bytesMax)))
          : next.apply(strict.getData());
    }
    if (entity.getContentLengthOption().orElse(0) > bytesMax) {
      entity.discardBytes(materializer);
      return CompletableFuture.completedFuture(error.apply(tooLarge(bytesMax)));
    }
    return request
        .entity()
        .withSizeLimit(bytesMax)
        .toStrict(BODY_TIMEOUT_MILLIS, materializer)
        .handle(
            (strict, failure) -> {
              if (failure == null) {
                return next.apply(strict.getData());
              }
              Refusal refusal =
                  causedBySize(failure)
                      ? tooLarge(bytesMax)
                      : new Refusal(
                          408,
                          "request_timeout",
                          "The body did not arrive whole within "
                              + BODY_TIMEOUT_MILLIS / 1000
                              + " seconds.",
                          null,
                          0,
                          false);
              return CompletableFuture.completedFuture(error.apply(refusal));
            })
        .thenCompose(Function.identity());
  }

  static Refusal tooLarge(long bytesMax) {
    return new Refusal(
        413,
        "request_too_large",
        "The request body is larger than " + bytesMax + " bytes.",
        null,
        0,
        false);
  }

  private static boolean causedBySize(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof EntityStreamSizeException) {
        return true;
      }
    }
    return false;
  }
}
