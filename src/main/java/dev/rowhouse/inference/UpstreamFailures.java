package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.tenant.ModelSpec;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.http.scaladsl.model.IllegalResponseException;
import org.apache.pekko.stream.StreamTcpException;
import org.jspecify.annotations.Nullable;

/** What went wrong at an upstream, told to a client without saying where the upstream is. */
final class UpstreamFailures {
  private static final int MESSAGE_CHARS_MAX = 500;

  /** A shorter host name is a part of ordinary words. */
  private static final int HOST_CHARS_MIN = 4;

  private static final Pattern ADDRESS =
      Pattern.compile(
          "(?i)\\b(?:https?|wss?)://[^\\s\"'<>]+|\\b\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d+)?");

  /** Bearer tokens and keys of the common shapes, should an upstream repeat one. */
  private static final Pattern SECRET =
      Pattern.compile("(?i)\\bbearer\\s+\\S+|\\b(?:sk|pk|rk|key)-[\\w*.-]{6,}");

  private UpstreamFailures() {}

  /**
   * A status that is not a success.
   *
   * @param retryAfterMillis what the upstream says of when to come back; 0: nothing
   */
  static Failure ofStatus(
      int status, @Nullable String message, long retryAfterMillis, Scrub scrub) {
    Failure failure = wordsOfStatus(status, message, retryAfterMillis, scrub);
    if (status >= 500) {
      return failure.saying(CallOutcome.FAULT);
    }
    if (status == 429) {
      // Without a time it is neither sick nor to be left alone: other slots may still be served.
      return retryAfterMillis > 0 ? failure.throttledFor(retryAfterMillis) : failure;
    }
    return failure.saying(CallOutcome.ANSWERED);
  }

  private static Failure wordsOfStatus(
      int status, @Nullable String message, long retryAfterMillis, Scrub scrub) {
    return switch (status) {
      case 400, 413, 422 ->
          Failure.invalid(
              message == null ? "the upstream refused the request" : scrub.of(message), null);
      case 401, 403 -> Failure.upstream("the upstream refused the credentials of this model");
      case 404 -> Failure.upstream("the upstream does not know this model");
      case 408, 504 -> Failure.timeout("the upstream answered " + status);
      case 429 ->
          Failure.capacity(
              "the upstream of this model is at its limit"
                  + (retryAfterMillis > 0
                      ? ", try again in " + (retryAfterMillis + 999) / 1000 + " s"
                      : ""));
      default -> Failure.upstream("the upstream answered " + status);
    };
  }

  /** An exchange that broke. */
  static Failure ofError(Throwable thrown) {
    Throwable error = thrown;
    while (error instanceof CompletionException && error.getCause() != null) {
      error = error.getCause();
    }
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof EntityStreamSizeException || cause instanceof SseParser.TooLong) {
        return Failure.upstream("the upstream's answer is too long");
      }
    }
    return wordsOfError(error).saying(CallOutcome.FAULT);
  }

  private static Failure wordsOfError(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      switch (cause) {
        case IllegalResponseException _ -> {
          return Failure.upstream("the upstream does not speak HTTP");
        }
        case ConnectException _ -> {
          return Failure.upstream("the upstream refuses connections");
        }
        case UnknownHostException _ -> {
          return Failure.upstream("the upstream cannot be found");
        }
        case TimeoutException _ -> {
          return Failure.timeout("the upstream took too long");
        }
        case StreamTcpException tcp when String.valueOf(tcp.getMessage()).contains("imeout") -> {
          return Failure.timeout("the upstream could not be reached in time");
        }
        default -> {}
      }
    }
    return error instanceof StreamTcpException
        ? Failure.upstream("the upstream cannot be reached")
        : Failure.upstream("the upstream broke off");
  }

  /** Takes addresses, keys and the upstream's alias out of a message. */
  static final class Scrub {
    private final ModelSpec model;
    private final String key;

    Scrub(ModelSpec model, String key) {
      this.model = model;
      this.key = key;
    }

    String of(String message) {
      String text = message;
      if (!key.isEmpty()) {
        text = text.replace(key, "[key]");
      }
      if (model.baseUrl() != null) {
        text = text.replace(model.baseUrl(), "[upstream]");
        String host = OpenAiEngine.Endpoint.of(model.baseUrl()).address().host();
        text = host.length() < HOST_CHARS_MIN ? text : text.replace(host, "[upstream]");
      }
      text = ADDRESS.matcher(text).replaceAll("[upstream]");
      text = SECRET.matcher(text).replaceAll("[key]");
      if (model.upstreamModel() != null && !model.upstreamModel().isEmpty()) {
        text = text.replace(model.upstreamModel(), model.name());
      }
      return text.length() > MESSAGE_CHARS_MAX ? text.substring(0, MESSAGE_CHARS_MAX) : text;
    }

    Failure of(Failure failure) {
      return failure.withMessage(of(failure.message()));
    }
  }
}
