package dev.rowhouse.replay;

import java.util.HashMap;
import java.util.Map;

/**
 * How long answers are taken to be, by the rule that serving has: a moving mean for each tenant, in
 * which the newest answer weighs a tenth.
 */
final class OutputMeans {
  private static final double OUTPUT_TOKENS_AT_FIRST = 256;
  private static final double LEARNING_RATE = 0.1;

  private final Changes.Estimate estimate;
  private final Map<String, Double> means = new HashMap<>();

  OutputMeans(Changes.Estimate estimate) {
    this.estimate = estimate;
  }

  /** Tokens that an answer is taken to have. */
  double tokens(String tenant, int actual) {
    return switch (estimate) {
      case ZERO -> 0;
      case MOVING_MEAN -> means.getOrDefault(tenant, OUTPUT_TOKENS_AT_FIRST);
      case EXACT -> actual;
    };
  }

  void learn(String tenant, int outputTokens) {
    if (outputTokens > 0) {
      means.merge(
          tenant,
          (double) outputTokens,
          (mean, newest) -> mean + LEARNING_RATE * (outputTokens - mean));
    }
  }
}
