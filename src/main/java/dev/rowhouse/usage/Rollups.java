package dev.rowhouse.usage;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Sums by bucket, model and key: minutes for two days, hours for ninety, days for ever. Ages are
 * counted from the newest record, not from a clock, so that a replay makes the same ones.
 *
 * <p>A record is added to all three widths at once, and may be taken out again.
 */
final class Rollups {
  /** How many numbers a row has in a snapshot. */
  static final int ROW_LENGTH = 7;

  private record Group(String model, String key) {}

  private final Map<Bucket, TreeMap<Long, Map<Group, Tally>>> levels = new EnumMap<>(Bucket.class);
  private long newestMillis = Long.MIN_VALUE;

  Rollups() {
    for (Bucket bucket : Bucket.values()) {
      levels.put(bucket, new TreeMap<>());
    }
  }

  void change(UsageRecord record, int sign) {
    if (record.timeMillis() > newestMillis) {
      newestMillis = record.timeMillis();
    }
    Group group = new Group(record.modelAsked(), record.keyId());
    for (Bucket bucket : Bucket.values()) {
      long start = bucket.startOf(record.timeMillis());
      if (start >= bucket.oldestKept(newestMillis)) {
        NavigableMap<Long, Map<Group, Tally>> level = level(bucket);
        Map<Group, Tally> groups = level.computeIfAbsent(start, at -> new HashMap<>());
        Tally tally = groups.computeIfAbsent(group, at -> new Tally());
        tally.change(record, sign);
        if (tally.isZero()) {
          groups.remove(group);
        }
        level.headMap(bucket.oldestKept(newestMillis), false).clear();
      }
    }
  }

  /** The buckets that start in [from, to), oldest first; empty ones are left out. */
  List<UsageRow> rows(Bucket bucket, Instant from, Instant to, GroupBy groupBy) {
    List<UsageRow> rows = new ArrayList<>();
    long first = bucket.startOf(from.toEpochMilli());
    level(bucket)
        .subMap(first, true, to.toEpochMilli(), false)
        .forEach((start, groups) -> rows.addAll(rows(start, groups, groupBy)));
    return List.copyOf(rows);
  }

  private static List<UsageRow> rows(long start, Map<Group, Tally> groups, GroupBy groupBy) {
    TreeMap<String, Tally> sums = new TreeMap<>();
    groups.forEach(
        (group, tally) -> sums.computeIfAbsent(name(group, groupBy), at -> new Tally()).add(tally));
    List<UsageRow> rows = new ArrayList<>();
    sums.forEach(
        (name, sum) ->
            rows.add(
                new UsageRow(
                    Instant.ofEpochMilli(start),
                    groupBy == GroupBy.NOTHING ? null : name,
                    sum.requests,
                    sum.inputTokens,
                    sum.outputTokens,
                    sum.costMicros)));
    return rows;
  }

  private static String name(Group group, GroupBy groupBy) {
    return switch (groupBy) {
      case NOTHING -> "";
      case MODEL -> group.model();
      case KEY -> group.key();
    };
  }

  /** Buckets held, over all widths. */
  int size() {
    return levels.values().stream().mapToInt(TreeMap::size).sum();
  }

  long newestMillis() {
    return newestMillis;
  }

  /** Writes all rows as (start, model, key, requests, input, output, cost), names by number. */
  long[] pack(Bucket bucket, Map<String, Integer> names) {
    NavigableMap<Long, Map<Group, Tally>> level = level(bucket);
    int rows = level.values().stream().mapToInt(Map::size).sum();
    long[] packed = new long[rows * ROW_LENGTH];
    int at = 0;
    for (Map.Entry<Long, Map<Group, Tally>> groups : level.entrySet()) {
      for (Map.Entry<Group, Tally> entry : groups.getValue().entrySet()) {
        packed[at++] = groups.getKey();
        packed[at++] = names.computeIfAbsent(entry.getKey().model(), name -> names.size());
        packed[at++] = names.computeIfAbsent(entry.getKey().key(), name -> names.size());
        packed[at++] = entry.getValue().requests;
        packed[at++] = entry.getValue().inputTokens;
        packed[at++] = entry.getValue().outputTokens;
        packed[at++] = entry.getValue().costMicros;
      }
    }
    return packed;
  }

  void unpack(Bucket bucket, long[] packed, List<String> names, long newestMillis) {
    this.newestMillis = newestMillis;
    for (int at = 0; at < packed.length; at += ROW_LENGTH) {
      Tally tally = new Tally();
      tally.requests = packed[at + 3];
      tally.inputTokens = packed[at + 4];
      tally.outputTokens = packed[at + 5];
      tally.costMicros = packed[at + 6];
      level(bucket)
          .computeIfAbsent(packed[at], start -> new HashMap<>())
          .put(new Group(names.get((int) packed[at + 1]), names.get((int) packed[at + 2])), tally);
    }
  }

  private NavigableMap<Long, Map<Group, Tally>> level(Bucket bucket) {
    @Nullable NavigableMap<Long, Map<Group, Tally>> level = levels.get(bucket);
    if (level == null) {
      throw new IllegalStateException("no roll-up by " + bucket);
    }
    return level;
  }
}
