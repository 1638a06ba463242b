package dev.rowhouse.serving;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway asks of a tenant's actor for one request: who asks, and all that admission depends
 * on, but not the body. Sent again with the same attempt it is answered as before.
 *
 * @param attempt the attempt id
 * @param key whose request this is
 * @param modelAsked the name in the request; absent: the tenant's default
 * @param inputTokens the estimate of the body's tokens
 * @param outputTokensMax what the request allows; absent: no word about it
 * @param label the client's own request id
 * @param receivedAtMillis when the gateway had the request
 * @param deadlineMillis when the gateway gives up
 * @param priority higher goes first within the tenant
 * @param retrieval what the request says about retrieval
 * @param promptName absent: the tenant's default template, if it has one
 * @param promptVersion absent: the newest
 * @param purpose what the model is to do
 */
public record Ask(
    String attempt,
    Credential key,
    @Nullable String modelAsked,
    long inputTokens,
    @Nullable Long outputTokensMax,
    boolean stream,
    boolean includeUsage,
    @Nullable String label,
    long receivedAtMillis,
    long deadlineMillis,
    int priority,
    RetrievalChoice retrieval,
    @Nullable String promptName,
    @Nullable Integer promptVersion,
    Map<String, String> variables,
    int bodyBytes,
    Purpose purpose) {

  /** What a request wants of its model; a model is good for one of these. */
  public enum Purpose {
    CHAT,
    EMBEDDING
  }

  /** A chat. */
  public Ask(
      String attempt,
      Credential key,
      @Nullable String modelAsked,
      long inputTokens,
      @Nullable Long outputTokensMax,
      boolean stream,
      boolean includeUsage,
      @Nullable String label,
      long receivedAtMillis,
      long deadlineMillis,
      int priority,
      RetrievalChoice retrieval,
      @Nullable String promptName,
      @Nullable Integer promptVersion,
      Map<String, String> variables,
      int bodyBytes) {
    this(
        attempt,
        key,
        modelAsked,
        inputTokens,
        outputTokensMax,
        stream,
        includeUsage,
        label,
        receivedAtMillis,
        deadlineMillis,
        priority,
        retrieval,
        promptName,
        promptVersion,
        variables,
        bodyBytes,
        Purpose.CHAT);
  }

  /**
   * The same request as another attempt. Who names no id of its own finds it by the label, which is
   * the first attempt's.
   */
  Ask as(String otherAttempt) {
    return new Ask(
        otherAttempt,
        key,
        modelAsked,
        inputTokens,
        outputTokensMax,
        stream,
        includeUsage,
        label == null ? attempt : label,
        receivedAtMillis,
        deadlineMillis,
        priority,
        retrieval,
        promptName,
        promptVersion,
        variables,
        bodyBytes,
        purpose);
  }

  /** A key as the gateway knows it after its checksum was found right. */
  public record Credential(String keyId, String secretSha256) {}

  /**
   * Whether and where a request retrieves.
   *
   * @param off no retrieval for this request
   * @param stores absent: the tenant's
   * @param topK absent: the tenant's
   */
  public record RetrievalChoice(
      boolean off, @Nullable List<String> stores, @Nullable Integer topK) {
    public static final RetrievalChoice OF_THE_TENANT = new RetrievalChoice(false, null, null);
  }
}
