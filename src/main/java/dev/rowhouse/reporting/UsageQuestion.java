package dev.rowhouse.reporting;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks.
 *
 * @param from the bucket that it falls into is the first
 * @param to no bucket starts at or after it
 * @param after the last row of the page before; absent for the first page
 */
public record UsageQuestion(
    @Nullable String tenant,
    @Nullable String model,
    @Nullable String answeredBy,
    @Nullable String key,
    Instant from,
    Instant to,
    Width bucket,
    Split groupBy,
    @Nullable Cursor after,
    int limit) {

  private static final long HOURS_PER_DAY = 24;

  /** The first hour, of those since 1970, that a page may have. */
  long hourFrom() {
    Instant first = bucket.startOf(from);
    Instant start = after != null && after.start().isAfter(first) ? after.start() : first;
    return Width.HOUR.number(start);
  }

  /** The first hour that starts at or after the end. */
  long hourTo() {
    return -Math.floorDiv(-to.toEpochMilli(), Group.HOUR_MILLIS);
  }

  /** How wide a bucket is. All of them begin in UTC. */
  public enum Width {
    HOUR,
    DAY,
    MONTH;

    Instant startOf(Instant time) {
      return switch (this) {
        case HOUR -> Instant.ofEpochSecond(Math.floorDiv(time.getEpochSecond(), 3_600) * 3_600);
        case DAY -> day(time).atStartOfDay().toInstant(ZoneOffset.UTC);
        case MONTH -> day(time).withDayOfMonth(1).atStartOfDay().toInstant(ZoneOffset.UTC);
      };
    }

    private static LocalDate day(Instant time) {
      return LocalDate.ofInstant(time, ZoneOffset.UTC);
    }

    /** The number by which the database orders buckets; a month has that of its first day. */
    long number(Instant start) {
      long hour = Math.floorDiv(start.toEpochMilli(), Group.HOUR_MILLIS);
      return this == HOUR ? hour : Math.floorDiv(hour, HOURS_PER_DAY);
    }

    Instant start(long number) {
      Instant found =
          Instant.ofEpochSecond(
              number * (this == HOUR ? 1 : HOURS_PER_DAY) * Group.HOUR_MILLIS / 1_000);
      return startOf(found);
    }

    /** Of hours since 1970, in SQL. */
    String sql() {
      return this == HOUR ? "usage_hour" : "usage_hour / " + HOURS_PER_DAY;
    }

    public Duration rangeMax(ReportingSettings settings) {
      return switch (this) {
        case HOUR -> settings.hoursMax();
        case DAY -> settings.daysMax();
        case MONTH -> settings.monthsMax();
      };
    }
  }

  /** How buckets are split. A key's id means something within its tenant only. */
  public enum Split {
    NOTHING("''", "''"),
    TENANT("tenant", "''"),
    MODEL("model", "''"),
    ANSWERED_BY("answered_by", "''"),
    KEY("tenant", "key_id");

    private final String first;
    private final String second;

    Split(String first, String second) {
      this.first = first;
      this.second = second;
    }

    String first() {
      return first;
    }

    String second() {
      return second;
    }
  }

  /** A row of an answer, by bucket and group; its text form is the paging cursor. */
  public record Cursor(Instant start, String first, String second) {
    private static final int TEXT_LENGTH_MAX = 600;
    private static final int PARTS = 3;

    /** Reads one; absent when it is none of ours. */
    public static @Nullable Cursor parse(String text) {
      String[] parts = text.length() > TEXT_LENGTH_MAX ? new String[0] : text.split("\\|", PARTS);
      if (parts.length != PARTS || !parts[0].matches("[0-9]{1,11}")) {
        return null;
      }
      // A model's name may hold the mark, a key's id may not: so the first of the group comes last.
      return new Cursor(Instant.ofEpochSecond(Long.parseLong(parts[0])), parts[2], parts[1]);
    }

    @Override
    public String toString() {
      return start.getEpochSecond() + "|" + second + "|" + first;
    }
  }
}
