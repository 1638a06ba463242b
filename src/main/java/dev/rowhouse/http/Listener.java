package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import dev.rowhouse.usage.AttemptId;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Flow;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listening address: gives every request its id, one answer with that id, and word when its
 * client has left.
 */
final class Listener {
  private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

  /** Every answer has it. */
  static final String REQUEST_ID = "x-request-id";

  /** With the last answer of a connection. */
  private static final HttpHeader CLOSE =
      org.apache.pekko.http.javadsl.model.headers.Connection.create("close");

  /** Attempt ids need to be unguessable by accident only; the key is what protects. */
  private static final ThreadLocal<RandomGenerator> RANDOM =
      ThreadLocal.withInitial(() -> new SplittableRandom(new SecureRandom().nextLong()));

  private Listener() {}

  /**
   * Listens.
   *
   * @param closing whether each connection ends with its next answer
   */
  static CompletionStage<ServerBinding> bind(
      ActorSystem<?> system,
      String host,
      int port,
      InstantSource clock,
      String plane,
      Metrics metrics,
      Handler handler,
      Function<Refusal, HttpResponse> error,
      BooleanSupplier closing) {
    Flow<HttpRequest, HttpResponse, NotUsed> flow =
        Flow.<HttpRequest, HttpResponse, NotUsed>fromMaterializer(
                (materializer, attributes) -> {
                  Connection connection = new Connection();
                  return Flow.<HttpRequest>create()
                      .watchTermination(
                          (notUsed, done) -> {
                            done.whenComplete((ok, failure) -> connection.gone());
                            return notUsed;
                          })
                      .mapAsync(
                          1,
                          request -> {
                            long now = clock.millis();
                            String id = AttemptId.mint(Instant.ofEpochMilli(now), RANDOM.get());
                            Call call =
                                new Call(
                                    request, id, segments(request), connection, materializer, now);
                            metrics.began(plane);
                            return answer(call, handler, error)
                                .thenApply(
                                    response -> {
                                      metrics.ended(
                                          plane,
                                          response.status().intValue(),
                                          clock.millis() - now);
                                      return closing.getAsBoolean()
                                          ? response.addHeader(CLOSE)
                                          : response;
                                    });
                          })
                      .mapMaterializedValue(notUsed -> NotUsed.getInstance());
                })
            .mapMaterializedValue(notUsed -> NotUsed.getInstance());
    return Http.get(system).newServerAt(host, port).bindFlow(flow);
  }

  private static CompletionStage<HttpResponse> answer(
      Call call, Handler handler, Function<Refusal, HttpResponse> error) {
    CompletionStage<HttpResponse> response;
    try {
      response = handler.handle(call);
    } catch (RuntimeException e) {
      response = CompletableFuture.failedFuture(e);
    }
    return response
        .exceptionally(
            failure -> {
              LOG.error("request {} failed: {}", call.requestId(), failure.toString(), failure);
              return error.apply(
                  new Refusal(
                      500,
                      "internal_error",
                      "Something broke on our side; the log has it under " + call.requestId() + ".",
                      null,
                      0,
                      false));
            })
        .thenApply(
            given ->
                given.getHeader(REQUEST_ID).isPresent()
                    ? given
                    : given.addHeader(RawHeader.create(REQUEST_ID, call.requestId())));
  }

  /** The decoded parts of the path, empty ones left out. */
  private static List<String> segments(HttpRequest request) {
    List<String> segments = new ArrayList<>(6);
    for (String part : request.getUri().pathSegments()) {
      if (!part.isEmpty()) {
        segments.add(part);
      }
    }
    return segments;
  }
}
