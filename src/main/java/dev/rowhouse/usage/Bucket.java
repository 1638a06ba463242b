package dev.rowhouse.usage;

import java.time.Duration;

/**
 * The width of a bucket of the roll-ups, and how long such buckets are kept. Buckets start at whole
 * multiples of their width in UTC.
 */
public enum Bucket {
  MINUTE(Duration.ofMinutes(1), Duration.ofDays(2)),
  HOUR(Duration.ofHours(1), Duration.ofDays(90)),
  /** Kept for ever; one query covers at most eleven years of them. */
  DAY(Duration.ofDays(1), Duration.ofDays(4_018));

  private final long widthMillis;
  private final long rangeMaxMillis;

  Bucket(Duration width, Duration rangeMax) {
    this.widthMillis = width.toMillis();
    this.rangeMaxMillis = rangeMax.toMillis();
  }

  public Duration width() {
    return Duration.ofMillis(widthMillis);
  }

  /** The widest span of one query, and for all but days also the age at which buckets go. */
  public Duration rangeMax() {
    return Duration.ofMillis(rangeMaxMillis);
  }

  long startOf(long timeMillis) {
    return Math.floorDiv(timeMillis, widthMillis) * widthMillis;
  }

  /** The start of the oldest bucket that is kept when the newest record is of that time. */
  long oldestKept(long newestMillis) {
    return this == DAY ? Long.MIN_VALUE : startOf(newestMillis - rangeMaxMillis);
  }
}
