package dev.rowhouse.bench.arena;

/** Weighted tokens: an input token counts 1, an output token 2, as in the paper. */
public final class Cost {
  public static final double INPUT_WEIGHT = 1;
  public static final double OUTPUT_WEIGHT = 2;

  private Cost() {}

  public static double of(double inputTokens, double outputTokens) {
    return INPUT_WEIGHT * inputTokens + OUTPUT_WEIGHT * outputTokens;
  }
}
