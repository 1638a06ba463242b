package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Walks through many seeds; {@code -Drowhouse.simulation.seeds=1000000} walks further, and {@code
 * -Drowhouse.simulation.first=N} begins elsewhere. docs/proofs.md has the commands.
 */
class FairnessSimulationTest {
  private static final long SEEDS = Long.getLong("rowhouse.simulation.seeds", 10_000);
  private static final long FIRST = Long.getLong("rowhouse.simulation.first", 1);

  /** A walk that takes minutes says so often how far it is. */
  private static final long PROGRESS_EVERY = 20_000;

  /** The bound would say little if nothing came near it. */
  private static final double TIGHT = 0.3;

  private static final Path REPORT = Path.of("target", "reports", "fairness-bound.json");

  private static @Nullable AssertionError brokenBy(long seed, Mutation mutation) {
    try {
      new FairnessSimulation(seed, mutation).run();
      return null;
    } catch (AssertionError broken) {
      return broken;
    }
  }

  @Test
  void everyInvariantHoldsInEverySeed() throws IOException {
    double tightest = 0;
    long tightestSeed = 0;
    String how = "";
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      FairnessSimulation simulation = new FairnessSimulation(seed, Mutation.NONE);
      try {
        simulation.run();
      } catch (AssertionError broken) {
        fail("seed " + seed + ": " + broken.getMessage(), broken);
      }
      if (simulation.bound.tightest() > tightest) {
        tightest = simulation.bound.tightest();
        tightestSeed = seed;
        how = simulation.bound.tightestHow();
      }
      long done = seed - FIRST + 1;
      if (done % PROGRESS_EVERY == 0) {
        System.out.println(done + " seeds, tightest ratio so far " + tightest);
      }
    }
    String report =
        String.format(
            Locale.ROOT,
            "{\"firstSeed\": %d, \"seeds\": %d, \"tightestRatio\": %.4f, \"seed\": %d, \"how\":"
                + " \"%s\"}",
            FIRST,
            SEEDS,
            tightest,
            tightestSeed,
            how);
    Files.createDirectories(REPORT.getParent());
    Files.writeString(REPORT, report + "\n");
    System.out.println("fairness bound: " + report);
    assertTrue(SEEDS < 1_000 || tightest > TIGHT, "nothing came near the bound: " + tightest);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 5})
  void theSameSeedGivesTheSameRun(long seed) {
    FairnessSimulation one = new FairnessSimulation(seed, Mutation.NONE);
    FairnessSimulation other = new FairnessSimulation(seed, Mutation.NONE);
    one.run();
    other.run();
    assertEquals(one.trace(), other.trace());
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @CsvSource({
    "SEQUENCE_NOT_CHECKED, TicketAcceptedOnce",
    "EPOCH_NOT_CHECKED, OldEpochsAreNotObeyed",
    "NO_LIFT, WhoReturnsIsLifted",
    "ESTIMATE_NOT_REFUNDED, EstimatesAreOwedBySlots",
    "PROGRESS_NOT_SETTLED, EstimatesAreOwedBySlots",
    "COST_NOT_SETTLED, ChargedIsActual"
  })
  void aMistakeIsFound(Mutation mutation, String invariant) {
    AssertionError broken = null;
    for (long seed = 1; seed <= 300 && broken == null; seed++) {
      broken = brokenBy(seed, mutation);
    }
    assertNotNull(broken, "no seed found it");
    String message = String.valueOf(broken.getMessage());
    assertTrue(message.startsWith(invariant + ":"), message);
  }

  /**
   * Seeds that once found a mistake. 9984: a worker that restarted without slots freed its old
   * ones, and the tenant that waited for them was not looked at.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {9984})
  void whatOnceBrokeHolds(long seed) {
    assertNull(brokenBy(seed, Mutation.NONE));
  }
}
