package dev.rowhouse.node;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;

/** Waiting for what another process does; always bounded. */
public final class Await {
  private static final Duration STEP = Duration.ofMillis(20);

  private Await() {}

  /** Fails with the sentence when the condition does not come true in time. */
  public static void until(String what, Duration atMost, BooleanSupplier condition) {
    Instant deadline = Instant.now().plus(atMost);
    while (!condition.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("not within " + atMost + ": " + what);
      }
      pause(STEP);
    }
  }

  public static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
