package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCode;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** How answers and errors look on the wire: OpenAI's errors on one plane, RFC 9457 on the other. */
final class Replies {
  static final ContentType PROBLEM_JSON = ContentTypes.parse("application/problem+json");

  private Replies() {}

  static HttpResponse json(int status, JsonNode body) {
    return HttpResponse.create().withStatus(status(status)).withEntity(Json.entity(body));
  }

  static HttpResponse json(ByteString body) {
    return HttpResponse.create()
        .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, body));
  }

  static HttpResponse text(int status, ContentType type, String body) {
    return HttpResponse.create()
        .withStatus(status(status))
        .withEntity(HttpEntities.create(type, ByteString.fromString(body)));
  }

  /** OpenAI's error body and headers. */
  static HttpResponse openAiError(Refusal refusal) {
    return HttpResponse.create()
        .withStatus(status(refusal.httpStatus()))
        .addHeaders(retryHeaders(refusal))
        .withEntity(Json.entity(openAiErrorBody(refusal)));
  }

  static ObjectNode openAiErrorBody(Refusal refusal) {
    ObjectNode body = Json.object();
    body.putObject("error")
        .put("message", refusal.message())
        .put("type", openAiType(refusal))
        .put("param", refusal.param())
        .put("code", refusal.code());
    return body;
  }

  /** An error on the operator plane. */
  static HttpResponse problem(Refusal refusal) {
    ObjectNode body = Json.object();
    body.put("type", "about:blank")
        .put("title", status(refusal.httpStatus()).reason())
        .put("status", refusal.httpStatus())
        .put("detail", refusal.message())
        .put("code", refusal.code());
    if (refusal.param() != null) {
      body.put("field", refusal.param());
    }
    return HttpResponse.create()
        .withStatus(status(refusal.httpStatus()))
        .addHeaders(retryHeaders(refusal))
        .withEntity(HttpEntities.create(PROBLEM_JSON, Json.bytes(body)));
  }

  static Refusal badRequest(@Nullable String param, String message) {
    return new Refusal(400, "invalid_request_error", message, param, 0, false);
  }

  static Refusal notFound(String what) {
    return new Refusal(404, "not_found", what, null, 0, false);
  }

  static List<HttpHeader> limitHeaders(LimitsView limits) {
    LimitsView.Row requests = limits.requestsPerMinute();
    LimitsView.Row tokens = limits.tokensPerMinute();
    List<HttpHeader> headers = new ArrayList<>(8);
    headers.add(header("x-ratelimit-limit-requests", requests.limit()));
    headers.add(header("x-ratelimit-remaining-requests", requests.remaining()));
    headers.add(
        RawHeader.create("x-ratelimit-reset-requests", Refusals.duration(requests.resetMillis())));
    headers.add(header("x-ratelimit-limit-tokens", tokens.limit()));
    headers.add(header("x-ratelimit-remaining-tokens", tokens.remaining()));
    headers.add(
        RawHeader.create("x-ratelimit-reset-tokens", Refusals.duration(tokens.resetMillis())));
    headers.add(
        RawHeader.create(
            "RateLimit-Policy",
            "\"requests\";q="
                + requests.limit()
                + ";w=60, \"tokens\";q="
                + tokens.limit()
                + ";w=60"));
    headers.add(
        RawHeader.create(
            "RateLimit",
            "\"requests\";r="
                + requests.remaining()
                + ";t="
                + seconds(requests.resetMillis())
                + ", \"tokens\";r="
                + tokens.remaining()
                + ";t="
                + seconds(tokens.resetMillis())));
    return headers;
  }

  static List<HttpHeader> retryHeaders(Refusal refusal) {
    List<HttpHeader> headers = new ArrayList<>(3);
    boolean mayPass = refusal.httpStatus() == 429 || refusal.httpStatus() == 503;
    if (mayPass && refusal.resetMillis() > 0) {
      headers.add(header("Retry-After", Math.max(1, seconds(refusal.resetMillis()))));
      headers.add(header("retry-after-ms", refusal.resetMillis()));
    }
    if ((mayPass || refusal.httpStatus() >= 500) && !refusal.retry()) {
      headers.add(RawHeader.create("x-should-retry", "false"));
    }
    return headers;
  }

  private static HttpHeader header(String name, long value) {
    return RawHeader.create(name, Long.toString(value));
  }

  private static long seconds(long millis) {
    return (millis + 999) / 1000;
  }

  private static StatusCode status(int status) {
    return StatusCodes.lookup(status)
        .orElseGet(() -> StatusCodes.custom(status, "Status " + status, ""));
  }

  private static String openAiType(Refusal refusal) {
    return switch (refusal.httpStatus()) {
      case 401 -> "authentication_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 429 ->
          switch (refusal.code().toLowerCase(Locale.ROOT)) {
            case "tokens_exceeded" -> "tokens";
            case "budget_exhausted" -> "insufficient_quota";
            default -> "requests";
          };
      case 500, 502, 503, 504 -> "server_error";
      default -> "invalid_request_error";
    };
  }
}
