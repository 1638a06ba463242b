package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.TenantId;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code POST /v1/chat/completions}. */
final class ChatRoute {
  private final ModelCalls calls;

  ChatRoute(ModelCalls calls) {
    this.calls = calls;
  }

  CompletionStage<HttpResponse> answer(Call call, TenantId tenant, Ask.Credential key) {
    return calls.answer(call, tenant, key, ChatRoute::ask);
  }

  private static Checked<Ask> ask(JsonNode root, ModelCalls.Origin origin) {
    return switch (ChatBody.read(root, origin.patience())) {
      case Checked.Bad<ChatBody> bad -> new Checked.Bad<>(bad.errors());
      case Checked.Good<ChatBody>(ChatBody body) ->
          new Checked.Good<>(
              new Ask(
                  origin.attempt(),
                  origin.key(),
                  body.model(),
                  body.inputTokens(),
                  body.outputTokensMax(),
                  body.stream(),
                  body.includeUsage(),
                  origin.label(),
                  origin.receivedAtMillis(),
                  origin.deadlineMillis(body.deadlineMillis(), body.stream()),
                  body.priority(),
                  body.retrieval(),
                  body.promptName(),
                  body.promptVersion(),
                  body.variables(),
                  origin.bodyBytes()));
    };
  }
}
