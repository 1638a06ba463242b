package dev.rowhouse.inference;

import dev.rowhouse.retrieval.RetrievalHandle;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One request as a worker receives it, without its body. It holds all that a settlement needs, so
 * that a worker can settle although the tenant's actor that admitted the request is gone.
 *
 * @param attempt the attempt id (UUIDv7), the {@code x-request-id} of the answer
 * @param keyId the key that asked
 * @param modelAsked the name in the request, before aliases
 * @param model the model to run
 * @param fallbacks models to try in order, as long as no token was sent
 * @param includeUsage whether a stream ends with a usage chunk
 * @param label the client's own request id; never used as an id
 * @param admittedAt when the gateway received the request
 * @param queueMillis how long it waited for a slot
 * @param deadline when the gateway gives up
 * @param inputTokens the estimate for the body, by tokenizer
 * @param retrieval absent: no retrieval
 * @param prompt absent: no template
 * @param bodyBytes length of the body to pull
 */
public record RunOrder(
    String attempt,
    TenantId tenant,
    String keyId,
    String modelAsked,
    ModelSpec model,
    List<ModelSpec> fallbacks,
    boolean stream,
    boolean includeUsage,
    @Nullable String label,
    Instant admittedAt,
    long queueMillis,
    Instant deadline,
    long inputTokens,
    @Nullable RetrievalPlan retrieval,
    @Nullable PromptTemplate prompt,
    Map<String, String> variables,
    int bodyBytes) {

  /** The same order with other models to fall back to. */
  RunOrder withFallbacks(List<ModelSpec> others) {
    return new RunOrder(
        attempt,
        tenant,
        keyId,
        modelAsked,
        model,
        List.copyOf(others),
        stream,
        includeUsage,
        label,
        admittedAt,
        queueMillis,
        deadline,
        inputTokens,
        retrieval,
        prompt,
        variables,
        bodyBytes);
  }

  /** Which stores of the handle's tenant are searched, and for how many passages. */
  public record RetrievalPlan(RetrievalHandle handle, List<String> stores, int topK) {}
}
