package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.TenantId;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code POST /v1/embeddings}: a request like a chat's that puts out no tokens. */
final class EmbeddingRoute {
  private static final Ask.RetrievalChoice NO_RETRIEVAL = new Ask.RetrievalChoice(true, null, null);

  private final ModelCalls calls;

  EmbeddingRoute(ModelCalls calls) {
    this.calls = calls;
  }

  CompletionStage<HttpResponse> answer(Call call, TenantId tenant, Ask.Credential key) {
    return calls.answer(call, tenant, key, EmbeddingRoute::ask);
  }

  private static Checked<Ask> ask(JsonNode root, ModelCalls.Origin origin) {
    return switch (EmbeddingBody.read(root, origin.patience())) {
      case Checked.Bad<EmbeddingBody> bad -> new Checked.Bad<>(bad.errors());
      case Checked.Good<EmbeddingBody>(EmbeddingBody body) ->
          new Checked.Good<>(
              new Ask(
                  origin.attempt(),
                  origin.key(),
                  body.model(),
                  body.inputTokens(),
                  0L,
                  false,
                  false,
                  origin.label(),
                  origin.receivedAtMillis(),
                  origin.deadlineMillis(body.deadlineMillis(), false),
                  0,
                  NO_RETRIEVAL,
                  null,
                  null,
                  Map.of(),
                  origin.bodyBytes(),
                  Ask.Purpose.EMBEDDING));
    };
  }
}
