package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The usage of a tenant by hour on Cassandra: rows of events, and what they were folded into.
 *
 * <p>The sums of an hour are those of its valid fold, and of the rows with sequence numbers beyond
 * those that the fold holds. A fold is written whole, under an id of its own, and then made the
 * valid one by a lightweight transaction that names the one before; so of two that fold an hour one
 * wins, a reader sees the hour before or after, and a row that is written again after it was folded
 * counts no more. What is not valid is deleted afterwards, at leisure.
 *
 * <p>A reader looks at which folds are valid before and after, and reads again when they changed.
 */
final class CqlHours {
  /** Each fold of the hours that are read costs a reader one more turn. */
  private static final int READS_MAX = 10;

  static final String GROUP = "usage_hour, model, answered_by, key_id";

  /** What is added up apart: by segment too, so that each can be compared with the journal. */
  record Place(long segment, Group group) {
    Place withoutKey() {
      return new Place(segment, group.withoutKey());
    }
  }

  /** The valid fold of an hour, and what it holds. */
  record Fold(@Nullable UUID id, Map<Long, Long> upTo) {
    static final Fold NONE = new Fold(null, Map.of());

    boolean holds(long segment, long sequence) {
      return sequence <= upTo.getOrDefault(segment, 0L);
    }
  }

  private final Cassandra cassandra;

  CqlHours(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  static int month(long hour) {
    LocalDate day =
        LocalDate.ofInstant(Instant.ofEpochMilli(hour * Group.HOUR_MILLIS), ZoneOffset.UTC);
    return day.getYear() * 12 + day.getMonthValue() - 1;
  }

  static Group group(Row row) {
    return new Group(
        row.getLong("usage_hour"),
        text(row, "model"),
        text(row, "answered_by"),
        text(row, "key_id"));
  }

  private static String text(Row row, String column) {
    return Objects.requireNonNullElse(row.getString(column), "");
  }

  static Sums sums(Row row) {
    return new Sums(
        row.getLong("completed"),
        row.getLong("cancelled"),
        row.getLong("failed"),
        row.getLong("unknown_count"),
        row.getLong("input_tokens"),
        row.getLong("output_tokens"),
        row.getLong("cost_micros"));
  }

  /** Those of some hours of a tenant, a month at a time. */
  void each(String tenant, long from, long to, BiConsumer<Place, Sums> consumer) {
    each(tenant, from, to, null, consumer);
  }

  /**
   * The same.
   *
   * @param upTo rows after these sequence numbers are left out; absent when none are
   */
  void each(
      String tenant,
      long from,
      long to,
      @Nullable Map<Long, Long> upTo,
      BiConsumer<Place, Sums> consumer) {
    NavigableMap<Integer, TreeSet<Long>> months = new TreeMap<>();
    for (long hour : hours(tenant, from, to)) {
      months.computeIfAbsent(month(hour), _ -> new TreeSet<>()).add(hour);
    }
    for (TreeSet<Long> hours : months.values()) {
      read(tenant, hours.first(), hours.last() + 1, upTo).forEach(consumer);
    }
  }

  /** The hours that a tenant has usage of. */
  Set<Long> hours(String tenant, long from, long to) {
    Set<Long> hours = open(tenant, from, to);
    hours.addAll(folds(tenant, from, to).keySet());
    return hours;
  }

  /** Up to which sequence number of each segment folds hold rows. */
  Map<Long, Long> folded(String tenant) {
    Map<Long, Long> folded = new TreeMap<>();
    folds(tenant, Long.MIN_VALUE, Long.MAX_VALUE)
        .values()
        .forEach(
            fold -> fold.upTo().forEach((segment, to) -> folded.merge(segment, to, Math::max)));
    return folded;
  }

  private Map<Place, Sums> read(String tenant, long from, long to, @Nullable Map<Long, Long> upTo) {
    Map<Long, Fold> folds = folds(tenant, from, to);
    for (int reads = 0; reads < READS_MAX; reads++) {
      Map<Place, Sums> found = new HashMap<>();
      Set<Long> open = open(tenant, from, to);
      for (Row row :
          cassandra.execute(
              "select "
                  + GROUP
                  + ", fold, segment, "
                  + Sums.COLUMNS
                  + " from rowhouse_usage_hours where tenant = ? and month = ?"
                  + " and usage_hour >= ? and usage_hour < ?",
              tenant,
              month(from),
              from,
              to)) {
        Fold fold = folds.getOrDefault(row.getLong("usage_hour"), Fold.NONE);
        UUID id = row.getUuid("fold");
        if (id != null && id.equals(fold.id())) {
          found.merge(new Place(row.getLong("segment"), group(row)), sums(row), Sums::plus);
        }
      }
      for (long hour : open) {
        rows(tenant, hour, folds.getOrDefault(hour, Fold.NONE), upTo, found);
      }
      Map<Long, Fold> after = folds(tenant, from, to);
      if (after.equals(folds)) {
        return found;
      }
      folds = after;
    }
    throw new JournalException(
        "the usage of " + tenant + " was folded each time that it was read", null);
  }

  /** Adds up the rows that no fold holds; returns the highest sequence number by segment. */
  Map<Long, Long> rows(
      String tenant, long hour, Fold fold, @Nullable Map<Long, Long> upTo, Map<Place, Sums> found) {
    Map<Long, Long> newest = new HashMap<>();
    for (Row row :
        cassandra.execute(
            "select "
                + GROUP
                + ", segment, sequence_number, "
                + Sums.COLUMNS
                + " from rowhouse_usage_rows where tenant = ? and usage_hour = ?",
            tenant,
            hour)) {
      long segment = row.getLong("segment");
      long sequence = row.getLong("sequence_number");
      newest.merge(segment, sequence, Math::max);
      boolean isWithin = upTo == null || sequence <= upTo.getOrDefault(segment, 0L);
      if (isWithin && !fold.holds(segment, sequence)) {
        found.merge(new Place(segment, group(row)), sums(row), Sums::plus);
      }
    }
    return newest;
  }

  Map<Long, Fold> folds(String tenant, long from, long to) {
    Map<Long, Fold> folds = new TreeMap<>();
    for (Row row :
        cassandra.execute(
            "select usage_hour, fold, up_to from rowhouse_usage_folds where tenant = ?"
                + " and usage_hour >= ? and usage_hour < ?",
            tenant,
            from,
            to)) {
      folds.put(row.getLong("usage_hour"), fold(row));
    }
    return folds;
  }

  static Fold fold(Row row) {
    return new Fold(
        row.getUuid("fold"),
        Objects.requireNonNullElse(row.getMap("up_to", Long.class, Long.class), Map.of()));
  }

  /** The hours that have rows. */
  Set<Long> open(String tenant, long from, long to) {
    Set<Long> open = new TreeSet<>();
    for (Row row :
        cassandra.execute(
            "select usage_hour from rowhouse_usage_open where tenant = ?"
                + " and usage_hour >= ? and usage_hour < ?",
            tenant,
            from,
            to)) {
      open.add(row.getLong(0));
    }
    return open;
  }

  /** What the valid fold of an hour holds. */
  Map<Place, Sums> held(String tenant, long hour, Fold fold) {
    Map<Place, Sums> held = new HashMap<>();
    if (fold.id() != null) {
      for (Row row :
          cassandra.execute(
              "select "
                  + GROUP
                  + ", segment, "
                  + Sums.COLUMNS
                  + " from rowhouse_usage_hours where tenant = ? and month = ?"
                  + " and usage_hour = ? and fold = ?",
              tenant,
              month(hour),
              hour,
              fold.id())) {
        held.put(new Place(row.getLong("segment"), group(row)), sums(row));
      }
    }
    return held;
  }
}
