package dev.rowhouse.bench.arena;

import java.util.HashMap;
import java.util.Map;

/** How many output tokens a request is taken to have when it is charged. */
public interface OutputEstimate {

  double tokens(Run run);

  /** It has ended, so its length is known. */
  default void learn(Run run) {}

  /** What it will have: for orientation only, because nobody knows that. */
  static OutputEstimate oracle() {
    return run -> run.request().outputTokens();
  }

  /**
   * A moving mean per client.
   *
   * @param rate the weight of the newest answer
   * @param tokensAtFirst before a client's first answer
   */
  static OutputEstimate movingMean(double rate, double tokensAtFirst) {
    Map<String, Double> means = new HashMap<>();
    return new OutputEstimate() {
      @Override
      public double tokens(Run run) {
        return means.getOrDefault(run.client(), tokensAtFirst);
      }

      @Override
      public void learn(Run run) {
        double newest = run.outputDone();
        means.merge(run.client(), newest, (mean, _) -> mean + rate * (newest - mean));
      }
    };
  }
}
