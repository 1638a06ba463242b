package dev.rowhouse.replay;

import java.time.Instant;

/**
 * Times as {@link Instant#toString} writes them, for many that are close together: the second of
 * the one before is not written anew.
 */
final class TimeText {
  private static final int MILLIS = 1_000;

  private long second = Long.MIN_VALUE;
  private String text = "";

  /** The time in UTC, with milliseconds where it has any. */
  String of(long timeMillis) {
    long of = Math.floorDiv(timeMillis, MILLIS);
    if (of != second) {
      String whole = Instant.ofEpochSecond(of).toString();
      text = whole.substring(0, whole.length() - 1);
      second = of;
    }
    int millis = Math.floorMod(timeMillis, MILLIS);
    if (millis == 0) {
      return text + "Z";
    }
    return text + (millis < 10 ? ".00" : millis < 100 ? ".0" : ".") + millis + "Z";
  }
}
