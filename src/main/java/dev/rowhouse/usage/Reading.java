package dev.rowhouse.usage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * One reading of a tenant's rows: which records count, attempt by attempt. It is the rule of {@link
 * LedgerState} without its figures: what may not be the only record of its attempt is put aside,
 * and the best of all its records counts in the end.
 */
final class Reading {
  private final TimeRange range;
  private final long earliestMillis;
  private final long latestMillis;
  private final int doubtfulMax;
  private final UsageJournal.Tally tally;
  private final AttemptsSeen seen;
  private final Map<Long, Long> read = new TreeMap<>();
  private final Set<Position> skipped = new HashSet<>();
  private final Set<UUID> doubtful = new HashSet<>();
  private final Map<UUID, List<Located>> copies = new HashMap<>();
  private long records;

  Reading(
      TimeRange range,
      long apartMillis,
      int attemptsMax,
      int doubtfulMax,
      UsageJournal.Tally tally) {
    this.range = range;
    this.earliestMillis = range.from() == null ? Long.MIN_VALUE : range.fromMillis() - apartMillis;
    this.latestMillis = range.to() == null ? Long.MAX_VALUE : range.toMillis() + apartMillis;
    this.doubtfulMax = doubtfulMax;
    this.tally = tally;
    this.seen = new AttemptsSeen(attemptsMax);
  }

  void take(SegmentReader.Stored row) {
    read.put(row.segment(), row.sequence());
    if (row.event() instanceof LedgerEvent.Recorded recorded) {
      int index = 0;
      for (UsageRecord record : recorded.records()) {
        if (isNear(record)) {
          take(record, row, index);
        }
        index++;
      }
    }
  }

  private boolean isNear(UsageRecord record) {
    return record.timeMillis() >= earliestMillis && record.timeMillis() < latestMillis;
  }

  private void take(UsageRecord record, SegmentReader.Stored row, int index) {
    UUID attempt = AttemptId.parse(record.attempt());
    if (seen.isNew(attempt)) {
      count(record);
    } else {
      if (doubtful.size() >= doubtfulMax) {
        throw new IllegalStateException(
            "more than " + doubtfulMax + " attempts stand in the journal twice");
      }
      doubtful.add(attempt);
      skipped.add(new Position(row.segment(), row.sequence(), index));
    }
  }

  private void count(UsageRecord record) {
    if (range.contains(record.timeMillis())) {
      tally.counted(record);
      records++;
    }
  }

  /** The second look, at the attempts that are in doubt. */
  void lookAgain(SegmentReader.Stored row) {
    if (row.event() instanceof LedgerEvent.Recorded recorded) {
      int index = 0;
      for (UsageRecord record : recorded.records()) {
        UUID attempt = AttemptId.parse(record.attempt());
        if (doubtful.contains(attempt) && isNear(record)) {
          copies
              .computeIfAbsent(attempt, _ -> new ArrayList<>(2))
              .add(new Located(new Position(row.segment(), row.sequence(), index), record));
        }
        index++;
      }
    }
  }

  /** Lets the best record of each attempt in doubt count. */
  void resolve() {
    for (List<Located> all : copies.values()) {
      Located best = all.stream().min(Located.BEST_FIRST).orElseThrow();
      for (Located copy : all) {
        if (!copy.equals(best) && skipped.add(copy.position())) {
          if (range.contains(copy.record().timeMillis())) {
            tally.taken(copy.record());
            records--;
          }
        }
      }
      if (skipped.remove(best.position())) {
        count(best.record());
      }
    }
    copies.clear();
  }

  Set<UUID> doubtful() {
    return doubtful;
  }

  Map<Long, Long> read() {
    return read;
  }

  Set<Position> skipped() {
    return skipped;
  }

  long records() {
    return records;
  }
}
