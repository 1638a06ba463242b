package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Walks through many seeds; {@code -Drowhouse.simulation.seeds=1000000} walks further, and {@code
 * -Drowhouse.simulation.first=N} begins elsewhere.
 */
class FairnessSimulationTest {
  private static final long SEEDS = Long.getLong("rowhouse.simulation.seeds", 1_000);
  private static final long FIRST = Long.getLong("rowhouse.simulation.first", 1);

  private static @Nullable AssertionError brokenBy(long seed, boolean checksTickets) {
    try {
      new FairnessSimulation(seed, checksTickets).run();
      return null;
    } catch (AssertionError broken) {
      return broken;
    }
  }

  @Test
  void everyInvariantHoldsInEverySeed() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      AssertionError broken = brokenBy(seed, true);
      if (broken != null) {
        fail("seed " + seed + ": " + broken.getMessage(), broken);
      }
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void theSameSeedGivesTheSameRun(long seed) {
    new FairnessSimulation(seed, true).run();
    new FairnessSimulation(seed, true).run();
  }

  @Test
  void aWorkerThatDoesNotCheckTheNumberOfATicketIsFound() {
    AssertionError broken = null;
    for (long seed = 1; seed <= 200 && broken == null; seed++) {
      broken = brokenBy(seed, false);
    }
    assertNotNull(broken, "no seed found it");
    String message = String.valueOf(broken.getMessage());
    assertTrue(message.startsWith("TicketAcceptedOnce"), message);
  }
}
