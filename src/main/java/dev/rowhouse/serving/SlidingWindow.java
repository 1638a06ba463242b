package dev.rowhouse.serving;

/**
 * What was used in the last minute, counted in seconds.
 *
 * <p>A sliding window rather than a token bucket, because the limit then means what its name says:
 * in no 60 seconds is more admitted than the limit. A bucket that refills would admit up to twice
 * as much in its first minute. The price is one counter a second; time is rounded so that an amount
 * counts for 60 to 61 seconds, never for less.
 *
 * <p>An amount may be corrected later at the second in which it was reserved; a correction of a
 * second that has left the window changes nothing.
 */
final class SlidingWindow {
  static final int WINDOW_SECONDS = 60;

  /** The current second, and the sixty before it. */
  private static final int BUCKETS = WINDOW_SECONDS + 1;

  private final long[] amounts = new long[BUCKETS];
  private long latestSecond = Long.MIN_VALUE;
  private long used;

  /** What was used in the window that ends now. */
  long used(long nowMillis) {
    advance(Math.floorDiv(nowMillis, 1000));
    return used;
  }

  /** Counts an amount now and says in which second, for a later {@link #correct}. */
  long add(long amount, long nowMillis) {
    long second = Math.floorDiv(nowMillis, 1000);
    advance(second);
    long counted = Math.max(second, latestSecond);
    amounts[index(counted)] += amount;
    used += amount;
    return counted;
  }

  /** Counts what was used in an earlier second, as far as it is in the window. */
  void restore(long second, long amount, long nowMillis) {
    correct(Math.min(second, Math.floorDiv(nowMillis, 1000)), amount, nowMillis);
  }

  /** Adds to (or, negative, takes from) what was counted in that second. */
  void correct(long second, long amount, long nowMillis) {
    advance(Math.floorDiv(nowMillis, 1000));
    if (second > latestSecond - BUCKETS && second <= latestSecond) {
      amounts[index(second)] += amount;
      used += amount;
    }
  }

  /**
   * Milliseconds until {@code amount} more fits under {@code limit}; 0 when it fits now, and the
   * whole window when it never will.
   */
  long millisUntilFits(long amount, long limit, long nowMillis) {
    advance(Math.floorDiv(nowMillis, 1000));
    long over = used + amount - limit;
    if (over <= 0) {
      return 0;
    }
    for (long second = latestSecond - BUCKETS + 1; second <= latestSecond; second++) {
      over -= amounts[index(second)];
      if (over <= 0) {
        return Math.max(1, (second + BUCKETS) * 1000 - nowMillis);
      }
    }
    return BUCKETS * 1000L;
  }

  /** Milliseconds until nothing is counted any more, if nothing is added. */
  long millisUntilEmpty(long nowMillis) {
    advance(Math.floorDiv(nowMillis, 1000));
    for (long second = latestSecond; second > latestSecond - BUCKETS; second--) {
      if (amounts[index(second)] > 0) {
        return Math.max(1, (second + BUCKETS) * 1000 - nowMillis);
      }
    }
    return 0;
  }

  private void advance(long second) {
    if (latestSecond == Long.MIN_VALUE) {
      latestSecond = second;
      return;
    }
    // A clock that goes back stays in the latest second: time never frees what was used.
    long steps = Math.min(second - latestSecond, BUCKETS);
    for (long step = 1; step <= steps; step++) {
      int index = index(latestSecond + step);
      used -= amounts[index];
      amounts[index] = 0;
    }
    if (second - latestSecond > BUCKETS) {
      java.util.Arrays.fill(amounts, 0);
      used = 0;
    }
    latestSecond = Math.max(latestSecond, second);
  }

  private static int index(long second) {
    return (int) Math.floorMod(second, (long) BUCKETS);
  }
}
