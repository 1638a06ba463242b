package dev.rowhouse.tenant;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model that the house serves: which engine runs it, what it costs, how many run at once.
 *
 * @param engine {@code embedded}, {@code embedding} or {@code openai}
 * @param baseUrl the upstream's root, such as {@code http://127.0.0.1:9000/v1}; absent for a model
 *     in this process
 * @param upstreamModel the model's name there; absent: the same name
 * @param apiKeyRef where the upstream's key is: {@code env:NAME} or {@code file:PATH}; never the
 *     key
 * @param slots requests at once on each worker node; 0 when {@code slotsTotal} is used
 * @param slotsTotal requests at once in the whole cluster; absent: no total
 * @param inputPerMillion price of a million input tokens
 * @param outputPerMillion price of a million output tokens
 * @param inputWeight what an input token counts in fair sharing
 * @param outputWeight what an output token counts in fair sharing
 * @param owner the one tenant for which this model exists; absent: all
 * @param estimator what a request's output is taken to cost in fair sharing when it gets its slot
 */
public record ModelSpec(
    String name,
    String engine,
    @Nullable String baseUrl,
    @Nullable String upstreamModel,
    @Nullable String apiKeyRef,
    int slots,
    @Nullable Integer slotsTotal,
    double inputPerMillion,
    double outputPerMillion,
    double inputWeight,
    double outputWeight,
    @Nullable String region,
    @Nullable TenantId owner,
    Estimator estimator) {

  public static final String EMBEDDED = "embedded";
  public static final String OPENAI = "openai";

  /** Turns texts into vectors in this process; such a model does not chat, and no other embeds. */
  public static final String EMBEDDING = "embedding";

  public ModelSpec {
    // A journal older than the field, and a body that leaves it out, mean the default.
    estimator = Objects.requireNonNullElse(estimator, Estimator.MOVING_MEAN);
  }

  /** A model with the usual estimator. */
  public ModelSpec(
      String name,
      String engine,
      @Nullable String baseUrl,
      @Nullable String upstreamModel,
      @Nullable String apiKeyRef,
      int slots,
      @Nullable Integer slotsTotal,
      double inputPerMillion,
      double outputPerMillion,
      double inputWeight,
      double outputWeight,
      @Nullable String region,
      @Nullable TenantId owner) {
    this(
        name,
        engine,
        baseUrl,
        upstreamModel,
        apiKeyRef,
        slots,
        slotsTotal,
        inputPerMillion,
        outputPerMillion,
        inputWeight,
        outputWeight,
        region,
        owner,
        Estimator.MOVING_MEAN);
  }

  public boolean isEmbedder() {
    return engine.equals(EMBEDDING);
  }

  /** Whether this model exists for that tenant; to any other it is a name that never was. */
  public boolean existsFor(TenantId tenant) {
    return owner == null || owner.equals(tenant);
  }

  /** The cost in units of fair sharing (not money) of so many tokens. */
  public double cost(long inputTokens, long outputTokens) {
    return inputWeight * inputTokens + outputWeight * outputTokens;
  }
}
