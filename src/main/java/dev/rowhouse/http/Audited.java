package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.audit.AuditChain;
import dev.rowhouse.audit.AuditDraft;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.serving.Refusal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts every call of the operator plane that may change something into the audit log: an intent
 * before its handler sees it, its outcome before its answer goes out. A call whose intent cannot be
 * written is refused and nothing is done.
 *
 * <p>The body is logged by its digest, its length and the names of its fields; the values of a few
 * fields that decide much and hold nothing personal are logged as they are.
 */
final class Audited {
  private static final Logger LOG = LoggerFactory.getLogger(Audited.class);
  private static final long BODY_BYTES_MAX = 1024 * 1024;
  private static final int FIELDS_MAX = 40;
  private static final int FINGERPRINT_LENGTH = 12;
  private static final long RETRY_MILLIS = 1_000;

  private static final Set<String> PLAIN_FIELDS =
      Set.of(
          "plan",
          "engine",
          "weight",
          "slots",
          "slots_total",
          "estimator",
          "region",
          "owner",
          "upstream_model",
          "grace_seconds",
          "expires_at",
          "scopes",
          "price",
          "limits",
          "reservation",
          "content_log");

  private final AuditLog log;
  private final String actor;

  /**
   * With a log.
   *
   * @param token the operator's; the log has its fingerprint
   */
  Audited(AuditLog log, String token) {
    this.log = log;
    this.actor = "operator:" + fingerprint(token);
  }

  private static String fingerprint(String token) {
    return AuditChain.digest(token.getBytes(StandardCharsets.UTF_8))
        .substring(0, FINGERPRINT_LENGTH);
  }

  static String remote(Call call) {
    return call.request()
        .getAttribute(AttributeKeys.remoteAddress)
        .flatMap(address -> address.getAddress())
        .map(address -> address.getHostAddress())
        .orElse("");
  }

  CompletionStage<HttpResponse> handle(Router.Route<Handler> route, Call call) {
    return call.withBody(
        BODY_BYTES_MAX, Replies::problem, body -> handle(route, whole(call, body), body));
  }

  /** The same call with the body at hand, as its handler will read it. */
  private static Call whole(Call call, ByteString body) {
    return new Call(
        call.request()
            .withEntity(HttpEntities.create(call.request().entity().getContentType(), body)),
        call.requestId(),
        call.segments(),
        call.connection(),
        call.materializer(),
        call.receivedAtMillis());
  }

  private CompletionStage<HttpResponse> handle(
      Router.Route<Handler> route, Call call, ByteString body) {
    return log.append(draft(AuditDraft.Kind.INTENT, route, call, intent(route, call, body)))
        .handle((head, failure) -> failure)
        .thenCompose(
            failure -> {
              if (failure != null) {
                LOG.warn("request {} was refused: {}", call.requestId(), failure.toString());
                return CompletableFuture.completedFuture(
                    unavailable(
                        "The audit log cannot be written, so nothing was changed. Ask again."));
              }
              return done(route, call);
            });
  }

  private CompletionStage<HttpResponse> done(Router.Route<Handler> route, Call call) {
    CompletionStage<HttpResponse> answer;
    try {
      answer = route.handler().handle(call);
    } catch (RuntimeException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    return answer
        .handle(
            (response, failure) ->
                log.append(draft(AuditDraft.Kind.OUTCOME, route, call, outcome(response, failure)))
                    .handle((head, unwritten) -> released(call, response, failure, unwritten))
                    .thenCompose(released -> released))
        .thenCompose(released -> released);
  }

  private static CompletionStage<HttpResponse> released(
      Call call,
      @org.jspecify.annotations.Nullable HttpResponse response,
      @org.jspecify.annotations.Nullable Throwable failure,
      @org.jspecify.annotations.Nullable Throwable unwritten) {
    if (unwritten != null) {
      LOG.warn("the outcome of {} is not in the audit log: {}", call.requestId(), unwritten);
      if (response != null) {
        response.entity().discardBytes(call.materializer());
      }
      return CompletableFuture.completedFuture(
          unavailable(
              "The call ended with status "
                  + (response == null ? 500 : response.status().intValue())
                  + ", and the audit log cannot be written; it has the intent "
                  + call.requestId()
                  + ". Look at what is there before you repeat it."));
    }
    return response == null
        ? CompletableFuture.failedFuture(
            failure == null ? new IllegalStateException("a handler gave nothing") : failure)
        : CompletableFuture.completedFuture(response);
  }

  private static HttpResponse unavailable(String message) {
    return Replies.problem(Refusal.until(503, "audit_unavailable", message, RETRY_MILLIS));
  }

  private AuditDraft draft(
      AuditDraft.Kind kind, Router.Route<Handler> route, Call call, Map<String, String> detail) {
    return new AuditDraft(
        kind,
        call.requestId(),
        actor,
        remote(call),
        route.method() + " " + route.pattern(),
        target(route, call),
        detail);
  }

  /** The first name in the path, or the tenant of the query. */
  private static String target(Router.Route<Handler> route, Call call) {
    for (int at = 0; at < route.parts().size(); at++) {
      if (route.parts().get(at).startsWith("{")) {
        return call.segments().get(at);
      }
    }
    String tenant = call.query("tenant");
    return tenant == null ? "" : tenant;
  }

  private static Map<String, String> intent(
      Router.Route<Handler> route, Call call, ByteString body) {
    Map<String, String> detail = new HashMap<>();
    String person = call.header("X-Operator");
    if (person != null) {
      detail.put("operator_unverified", person);
    }
    boolean isTarget = true;
    for (int at = 0; at < route.parts().size(); at++) {
      String part = route.parts().get(at);
      if (part.startsWith("{")) {
        if (!isTarget) {
          detail.put("path_" + part.substring(1, part.length() - 1), call.segments().get(at));
        }
        isTarget = false;
      }
    }
    call.request()
        .getUri()
        .rawQueryString()
        .filter(query -> !query.isEmpty())
        .ifPresent(query -> detail.put("query", query));
    if (!body.isEmpty()) {
      detail.put("body_sha256", AuditChain.digest(body.toArrayUnsafe()));
      detail.put("body_bytes", Integer.toString(body.size()));
      fields(body, detail);
    }
    return detail;
  }

  private static void fields(ByteString body, Map<String, String> detail) {
    if (Json.parseObject(body) instanceof Json.Parsed.Document document) {
      List<String> names = new ArrayList<>();
      for (Map.Entry<String, JsonNode> field : document.root().properties()) {
        if (names.size() < FIELDS_MAX) {
          names.add(field.getKey());
          if (PLAIN_FIELDS.contains(field.getKey())) {
            detail.put("field_" + field.getKey(), field.getValue().toString());
          }
        }
      }
      detail.put("fields", String.join(",", names));
    }
  }

  /** The status, the code of a refusal, and the id of what was made. */
  private static Map<String, String> outcome(
      @org.jspecify.annotations.Nullable HttpResponse response,
      @org.jspecify.annotations.Nullable Throwable failure) {
    if (response == null) {
      return Map.of("status", "500", "failure", String.valueOf(failure));
    }
    Map<String, String> detail = new HashMap<>();
    detail.put("status", Integer.toString(response.status().intValue()));
    if (response.entity() instanceof HttpEntity.Strict strict
        && strict.getContentType().toString().contains("json")) {
      try {
        JsonNode body = Json.MAPPER.readTree(strict.getData().toArrayUnsafe());
        put(detail, "code", body.path("code"));
        put(detail, "id", body.path("id"));
        put(detail, "key_id", body.path("api_key").path("id"));
      } catch (IOException e) {
        detail.put("body", "unreadable");
      }
    }
    return detail;
  }

  private static void put(Map<String, String> detail, String name, JsonNode value) {
    if (value.isTextual()) {
      detail.put(name, value.asText());
    }
  }
}
