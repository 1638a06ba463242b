package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.cluster.Attempt.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecoveryTest {
  private static Operation operation(long beganMillis, long millis, Outcome outcome) {
    return new Operation(
        List.of(
            new Attempt(
                "acme", "a", 0, beganMillis, beganMillis + millis, outcome, 200, "", null)));
  }

  @Test
  void nothingSlowIsNoRecovery() {
    List<Operation> operations =
        List.of(
            operation(0, 9_000, Outcome.ACKNOWLEDGED), operation(1_500, 20, Outcome.ACKNOWLEDGED));
    assertEquals(0, Recovery.seconds(operations, 1_000, 100));
  }

  @Test
  void itLastsToTheEndOfTheLastSlowSecond() {
    List<Operation> operations =
        List.of(
            operation(1_100, 8_000, Outcome.ACKNOWLEDGED),
            operation(4_100, 5_000, Outcome.ACKNOWLEDGED),
            operation(9_000, 20, Outcome.ACKNOWLEDGED));
    assertEquals(4, Recovery.seconds(operations, 1_000, 100));
  }

  @Test
  void whatFailedIsSlow() {
    assertEquals(1, Recovery.seconds(List.of(operation(1_100, 1, Outcome.REFUSED)), 1_000, 100));
  }

  @Test
  void oneInTwentyMayBeSlow() {
    List<Operation> operations = new ArrayList<>();
    for (int i = 0; i < 39; i++) {
      operations.add(operation(1_000 + i, 10, Outcome.ACKNOWLEDGED));
    }
    operations.add(operation(1_050, 900, Outcome.ACKNOWLEDGED));
    assertEquals(10, Recovery.p95(operations, 0, 10_000));
    assertEquals(0, Recovery.seconds(operations, 1_000, 100));
  }

  @Test
  void whatIsSlowAfterTheReturnIsNotPartOfTheRecoveryWithout() {
    List<Operation> operations =
        List.of(
            operation(1_000, 900, Outcome.ACKNOWLEDGED),
            operation(8_000, 20, Outcome.ACKNOWLEDGED),
            operation(21_500, 900, Outcome.ACKNOWLEDGED));
    assertEquals(1, Recovery.secondsWithout(operations, 1_000, 21_000, 100));
    assertEquals(1, Recovery.seconds(operations, 21_000, 100));
  }

  @Test
  void whoWasNeverServedAsBeforeWithoutItHasNotRecovered() {
    List<Operation> operations =
        List.of(
            operation(20_500, 900, Outcome.ACKNOWLEDGED),
            operation(30_500, 900, Outcome.ACKNOWLEDGED));
    assertEquals(30, Recovery.secondsWithout(operations, 1_000, 21_000, 100));
  }
}
