package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldError;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * Reads the bodies of operator calls; whatever is wrong comes back as one problem with all fields.
 */
final class OperatorBodies {
  private static final long BODY_BYTES_MAX = 1024 * 1024;

  private OperatorBodies() {}

  static CompletionStage<HttpResponse> read(
      Call call, Function<JsonNode, CompletionStage<HttpResponse>> next) {
    return call.withBody(
        BODY_BYTES_MAX,
        Replies::problem,
        bytes ->
            switch (bytes.isEmpty()
                ? new Json.Parsed.Document(Json.object())
                : Json.parseObject(bytes)) {
              case Json.Parsed.Broken broken ->
                  CompletableFuture.completedFuture(Replies.problem(broken.refusal()));
              case Json.Parsed.Document document -> next.apply(document.root());
            });
  }

  static <T> CompletionStage<HttpResponse> checked(
      Checked<T> checked, Function<T, CompletionStage<HttpResponse>> next) {
    return switch (checked) {
      case Checked.Good<T> good -> next.apply(good.value());
      case Checked.Bad<T> bad -> CompletableFuture.completedFuture(problem(bad.errors()));
    };
  }

  static HttpResponse problem(List<FieldError> errors) {
    Refusal first = ChatRoute.refusal(errors);
    ObjectNode body = Json.object();
    body.put("type", "about:blank")
        .put("title", "Bad Request")
        .put("status", 400)
        .put("detail", first.message())
        .put("code", first.code())
        .put("field", first.param());
    ArrayNode all = body.putArray("errors");
    for (FieldError error : errors) {
      all.addObject().put("field", error.field()).put("message", error.message());
    }
    return HttpResponse.create()
        .withStatus(400)
        .withEntity(HttpEntities.create(Replies.PROBLEM_JSON, Json.bytes(body)));
  }
}
