package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.uuid.Uuids;
import com.typesafe.config.Config;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.usage.SegmentId;
import dev.rowhouse.usage.UsageTag;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How far the tables are behind the event journal on Cassandra: places and times of events in the
 * tables of pekko-persistence-cassandra, and never the events themselves.
 *
 * <p>Events of a tag are in partitions of an hour (or as its conf says); those of a persistence id
 * in partitions of so many events.
 */
final class CqlJournal {
  /** Partitions that are looked at in one query; each gives a row at most. */
  private static final int PARTITIONS_TOGETHER = 100;

  private final Cassandra cassandra;
  private final long partitionEvents;
  private final long bucketMillis;
  private final long firstMillis;
  private final long delayMillis;

  private CqlJournal(
      Cassandra cassandra,
      long partitionEvents,
      long bucketMillis,
      long firstMillis,
      long delayMillis) {
    this.cassandra = cassandra;
    this.partitionEvents = partitionEvents;
    this.bucketMillis = bucketMillis;
    this.firstMillis = firstMillis;
    this.delayMillis = delayMillis;
  }

  static CqlJournal of(Cassandra cassandra, Config config) {
    Config plugin = config.getConfig("pekko.persistence.cassandra");
    Config tags = plugin.getConfig("events-by-tag");
    TimeUnit bucket =
        TimeUnit.valueOf(tags.getString("bucket-size").toUpperCase(Locale.ROOT) + "S");
    return new CqlJournal(
        cassandra,
        plugin.getLong("journal.target-partition-size"),
        bucket.toMillis(1),
        first(tags.getString("first-time-bucket")),
        tags.getDuration("eventual-consistency-delay").toMillis());
  }

  private static long first(String text) {
    LocalDateTime time =
        text.contains("T")
            ? LocalDateTime.parse(
                text, DateTimeFormatter.ofPattern("uuuuMMdd'T'HH:mm", Locale.ROOT))
            : LocalDate.parse(text, DateTimeFormatter.BASIC_ISO_DATE).atStartOfDay();
    return time.toInstant(ZoneOffset.UTC).toEpochMilli();
  }

  /**
   * The time of the oldest event that is not in the tables yet; when there is none, the time up to
   * which readers of a tag look.
   */
  long asOfMillis(long nowMillis) {
    long asOf = nowMillis - delayMillis;
    for (Map.Entry<String, UUID> tag : progress().entrySet()) {
      OptionalLong oldest = oldest(tag.getKey(), tag.getValue(), nowMillis);
      asOf = Math.min(asOf, oldest.orElse(asOf));
    }
    return asOf;
  }

  /**
   * Notes that tags have no more events up to a time, so that nobody looks through their empty
   * partitions again and again.
   *
   * @param upToMillis old enough for every event before it to be there
   */
  void skipQuiet(long upToMillis, long nowMillis) {
    for (Map.Entry<String, UUID> tag : progress().entrySet()) {
      boolean isBehind = Uuids.unixTimestamp(tag.getValue()) < upToMillis;
      if (isBehind
          && oldest(tag.getKey(), tag.getValue(), nowMillis).orElse(upToMillis) >= upToMillis) {
        cassandra.execute(
            "update rowhouse_usage_progress set quiet_up_to = ? where tag = ?",
            Uuids.startOf(upToMillis),
            tag.getKey());
      }
    }
  }

  /** The events of a tag up to that one are in the tables. */
  void move(String tag, UUID place) {
    cassandra.execute(
        "update rowhouse_usage_progress set journal_offset = ? where tag = ?", place, tag);
  }

  private Map<String, UUID> progress() {
    Map<String, UUID> progress = new TreeMap<>();
    for (String tag : UsageTag.all()) {
      UUID place = Uuids.startOf(firstMillis);
      Row row =
          cassandra.one(
              "select journal_offset, quiet_up_to from rowhouse_usage_progress where tag = ?", tag);
      if (row != null) {
        place = later(later(place, row.getUuid(0)), row.getUuid(1));
      }
      progress.put(tag, place);
    }
    return progress;
  }

  private static UUID later(UUID one, @Nullable UUID other) {
    return other == null || other.timestamp() < one.timestamp() ? one : other;
  }

  private OptionalLong oldest(String tag, UUID after, long nowMillis) {
    long bucket = Math.floorDiv(Uuids.unixTimestamp(after), bucketMillis) * bucketMillis;
    while (bucket <= nowMillis) {
      List<Long> buckets = new ArrayList<>();
      for (; bucket <= nowMillis && buckets.size() < PARTITIONS_TOGETHER; bucket += bucketMillis) {
        buckets.add(bucket);
      }
      OptionalLong oldest =
          cassandra
              .all(
                  "select timestamp from tag_views where tag_name = ? and timebucket in ?"
                      + " and timestamp > ? per partition limit 1",
                  tag,
                  buckets,
                  after)
              .stream()
              .mapToLong(row -> millis(row, 0))
              .min();
      if (oldest.isPresent()) {
        return oldest;
      }
    }
    return OptionalLong.empty();
  }

  private static long millis(Row row, int column) {
    return Uuids.unixTimestamp(Objects.requireNonNull(row.getUuid(column), "a key"));
  }

  /** The highest sequence number of a segment after that one that was written before that time. */
  long due(SegmentId id, long seen, long dueMillis) {
    long highest = seen;
    boolean hasMore = true;
    // Events that are written together may stand in the partition behind their own.
    for (long partition = seen / partitionEvents, empty = 0; hasMore; partition++) {
      boolean isEmpty = true;
      for (Row row :
          cassandra.execute(
              "select sequence_nr, timestamp from messages where persistence_id = ?"
                  + " and partition_nr = ? and sequence_nr > ?",
              id.persistenceId(),
              partition,
              seen)) {
        isEmpty = false;
        if (millis(row, 1) < dueMillis) {
          highest = Math.max(highest, row.getLong(0));
        }
      }
      empty = isEmpty ? empty + 1 : 0;
      hasMore = empty < 2;
    }
    return highest;
  }
}
