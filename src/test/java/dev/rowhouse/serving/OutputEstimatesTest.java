package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.tenant.Estimator;
import org.junit.jupiter.api.Test;

class OutputEstimatesTest {
  private final OutputEstimates estimates = new OutputEstimates();

  private void learnMany(String model, long outputTokens) {
    for (int answer = 0; answer < 200; answer++) {
      estimates.learn(model, outputTokens);
    }
  }

  @Test
  void chargesNothingForOutputWhenThePoolEstimatesZero() {
    assertEquals(0, estimates.charged(Estimator.ZERO, "m", 1_000L));
  }

  @Test
  void chargesTheMeanOfTheModelsOwnAnswers() {
    learnMany("short", 10);
    learnMany("long", 1_000);
    assertEquals(10, estimates.charged(Estimator.MOVING_MEAN, "short", null), 0.01);
    assertEquals(1_000, estimates.charged(Estimator.MOVING_MEAN, "long", null), 0.01);
  }

  @Test
  void neverChargesMoreThanTheRequestAllows() {
    learnMany("m", 1_000);
    assertEquals(50, estimates.charged(Estimator.MOVING_MEAN, "m", 50L));
  }

  @Test
  void chargesWhatTheRequestDeclaresWhereThePoolSaysSo() {
    learnMany("m", 10);
    assertEquals(4_000, estimates.charged(Estimator.MAX_TOKENS, "m", 4_000L));
    assertEquals(10, estimates.charged(Estimator.MAX_TOKENS, "m", null), 0.01);
  }

  @Test
  void reservesMoreThanTheMeanButNoWorstCase() {
    learnMany("m", 100);
    assertEquals(150, (double) estimates.reserved("m", null), 1);
    assertEquals(150, (double) estimates.reserved("m", 100_000L), 1);
    assertEquals(20, estimates.reserved("m", 20L));
  }

  @Test
  void forgetsTheModelThatWasUsedLeastLately() {
    learnMany("old", 1);
    for (int model = 0; model < 64; model++) {
      learnMany("m" + model, 500);
    }
    assertEquals(500, estimates.charged(Estimator.MOVING_MEAN, "old", null), 1);
  }
}
