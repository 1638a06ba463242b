package dev.rowhouse.bench;

import java.util.function.Supplier;

/** Waiting for a measurement, with a line now and then for who waits too. */
final class Progress {
  private static final long LINE_NANOS = 10_000_000_000L;

  private Progress() {}

  static void sleepUntil(long nanos) throws InterruptedException {
    long left = nanos - System.nanoTime();
    if (left > 0) {
      Thread.sleep(java.time.Duration.ofNanos(left));
    }
  }

  /** Waits until that time and prints a line each ten seconds. */
  static void until(long nanos, String indent, Supplier<String> line) throws InterruptedException {
    for (long next = System.nanoTime() + LINE_NANOS; next < nanos; next += LINE_NANOS) {
      sleepUntil(next);
      System.out.println(indent + line.get());
    }
    sleepUntil(nanos);
  }
}
