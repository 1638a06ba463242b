package dev.rowhouse.serving;

import dev.rowhouse.tenant.Estimator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long this tenant's answers are, by moving means of those that ended: one per model, and one
 * over all for a model that it has not used.
 */
final class OutputEstimates {
  /** Before anything was learned: tokens that an answer is taken to have. */
  static final double OUTPUT_TOKENS_AT_FIRST = 256;

  /** Weight of the newest answer in the mean. */
  static final double LEARNING_RATE = 0.1;

  /** A limit is reserved at this multiple of the mean, because a mean is short half the time. */
  private static final double RESERVE_FACTOR = 1.5;

  /** Models whose means are remembered; the one used least lately makes room. */
  private static final int MODELS_MAX = 64;

  private final Map<String, Double> means =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Double> eldest) {
          return size() > MODELS_MAX;
        }
      };
  private double overall = OUTPUT_TOKENS_AT_FIRST;

  /** Begins with what the ledger knows. */
  void resume(Map<String, Double> known) {
    means.putAll(known);
    known.values().stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .ifPresent(it -> overall = it);
  }

  void learn(String model, long outputTokens) {
    if (outputTokens > 0) {
      means.merge(model, (double) outputTokens, (mean, newest) -> moved(mean, outputTokens));
      overall = moved(overall, outputTokens);
    }
  }

  /**
   * What limits reserve for an answer: not a worst case, which would fill a budget with nothing.
   */
  long reserved(String model, @Nullable Long declaredMax) {
    long learned = Math.max(1, Math.round(mean(model) * RESERVE_FACTOR));
    return declaredMax == null ? learned : Math.min(declaredMax, learned);
  }

  /** What fair sharing takes an answer to have when its slot is granted. */
  double charged(Estimator estimator, String model, @Nullable Long declaredMax) {
    return switch (estimator) {
      case ZERO -> 0;
      case MOVING_MEAN ->
          declaredMax == null ? mean(model) : Math.min(declaredMax.doubleValue(), mean(model));
      case MAX_TOKENS -> declaredMax == null ? mean(model) : declaredMax;
    };
  }

  private double mean(String model) {
    return means.getOrDefault(model, overall);
  }

  private static double moved(double mean, long newest) {
    return mean + LEARNING_RATE * (newest - mean);
  }
}
