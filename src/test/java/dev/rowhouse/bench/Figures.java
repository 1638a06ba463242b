package dev.rowhouse.bench;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/** What is computed from measurements. */
final class Figures {
  private Figures() {}

  /**
   * Jain's fairness index of what equals got: 1 when all got the same, 1/n when one got all (Jain,
   * Chiu, Hawe, "A Quantitative Measure of Fairness", 1984).
   */
  static double jain(double[] shares) {
    double sum = Arrays.stream(shares).sum();
    double squares = Arrays.stream(shares).map(share -> share * share).sum();
    return squares == 0 ? Double.NaN : sum * sum / (shares.length * squares);
  }

  /** The value that the given part, 0 to 1, of all values does not exceed; NaN of none. */
  static double quantile(DoubleStream values, double quantile) {
    double[] sorted = values.sorted().toArray();
    return sorted.length == 0
        ? Double.NaN
        : sorted[(int) Math.clamp(Math.ceil(quantile * sorted.length) - 1, 0, sorted.length - 1)];
  }
}
