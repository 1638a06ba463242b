package dev.rowhouse;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * A clock that a test moves: it stands, so that nothing becomes late on a slow machine, until the
 * test lets time pass. It knows when it was read, so that a test can wait until its subject has
 * seen the time.
 */
public final class HandClock implements InstantSource {
  /** A subject that reads its clock at all does so within a tick, which is about a second. */
  private static final long READ_WITHIN_MILLIS = 20_000;

  private Instant now;
  private long reads;
  private long runningSinceNanos;
  private boolean runs;

  public HandClock(Instant now) {
    this.now = now;
  }

  @Override
  public synchronized Instant instant() {
    reads++;
    notifyAll();
    return current();
  }

  /** What it shows, for the test; this is not counted as a reading. */
  public synchronized Instant current() {
    return runs ? now.plusNanos(System.nanoTime() - runningSinceNanos) : now;
  }

  public synchronized void pass(Duration time) {
    now = now.plus(time);
  }

  /** From now on it runs as fast as any clock: for waits that must end by themselves. */
  public synchronized void run() {
    if (!runs) {
      runs = true;
      runningSinceNanos = System.nanoTime();
    }
  }

  /** Waits until the subject has read it so many times more. */
  public synchronized void awaitReads(int more) throws InterruptedException {
    long target = reads + more;
    long endNanos = System.nanoTime() + READ_WITHIN_MILLIS * 1_000_000;
    while (reads < target) {
      long leftMillis = (endNanos - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        throw new AssertionError("nobody looked at the clock");
      }
      wait(leftMillis);
    }
  }

  /** Lets time pass and waits until the subject has seen that it did. */
  public void passAndBeSeen(Duration time) throws InterruptedException {
    synchronized (this) {
      pass(time);
      awaitReads(1);
    }
  }
}
