package dev.rowhouse.reporting;

import dev.rowhouse.usage.LedgerEvent;
import dev.rowhouse.usage.UsageRecord;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What some events of one tenant do to the marks of its segments, and whether they bring doubt: a
 * gap in the sequence numbers of a segment, an event that cannot be read, or one that a newer
 * segment had not read when it was opened. (The last sign, a record of an attempt that was given
 * up, is for who keeps those.)
 */
final class Intake {
  private final Map<Long, SegmentMark> before;
  private final Map<Long, SegmentMark> marks;
  private final Map<String, Long> givenUp = new HashMap<>();
  private final Set<String> settled = new HashSet<>();
  private @Nullable String doubt;

  Intake(Map<Long, SegmentMark> before) {
    this.before = before;
    this.marks = new TreeMap<>(before);
  }

  /** The first segment whose mark these events need. */
  static long firstSegment(List<Placed> events) {
    boolean opens = events.stream().anyMatch(it -> it.event() instanceof LedgerEvent.SegmentOpened);
    return opens ? 0 : events.stream().mapToLong(Placed::segment).min().orElse(0);
  }

  /** Marks the event as seen; whether it stands beyond all that were seen before. */
  boolean take(Placed placed) {
    SegmentMark known = marks.get(placed.segment());
    SegmentMark mark =
        known == null
            ? SegmentMark.fresh(
                placed.segment(),
                marks.keySet().stream().anyMatch(it -> it > placed.segment())
                    ? 0
                    : UsageTables.NOT_SEALED)
            : known;
    long sequence = placed.sequence();
    if (sequence > mark.seen() + 1) {
      doubt =
          "segment %d goes on with %d after %d".formatted(mark.segment(), sequence, mark.seen());
    }
    if (sequence > mark.sealed()) {
      doubt =
          "event %d of segment %d was not known to a newer segment"
              .formatted(sequence, mark.segment());
    }
    if (placed.fault() != null) {
      doubt =
          "event %d of segment %d cannot be read: %s"
              .formatted(sequence, mark.segment(), placed.fault());
    }
    marks.put(mark.segment(), mark.withSeen(sequence, placed.hash()));
    return sequence > mark.seen();
  }

  /** Up to where a segment was folded before these events. */
  long folded(long segment) {
    SegmentMark mark = before.get(segment);
    return mark == null ? 0 : mark.folded();
  }

  /** Takes in the attempts of an event that is new. */
  void attempts(LedgerEvent event) {
    if (event instanceof LedgerEvent.Recorded recorded) {
      for (UsageRecord record : recorded.records()) {
        if (record.status() == UsageRecord.Status.UNKNOWN) {
          givenUp.put(record.attempt(), record.timeMillis());
        } else {
          settled.add(record.attempt());
        }
      }
    }
  }

  /**
   * A newer segment was opened, and this is what its writer had read of the others. What it does
   * not name it knew to be closed for ever.
   */
  void seal(LedgerEvent event) {
    if (event instanceof LedgerEvent.SegmentOpened opened) {
      opened.read().forEach(this::seal);
    }
  }

  private void seal(long segment, long read) {
    SegmentMark mark = marks.getOrDefault(segment, SegmentMark.fresh(segment, read));
    if (mark.seen() > read) {
      doubt =
          "event %d of segment %d was not known to a newer segment".formatted(mark.seen(), segment);
    }
    marks.put(segment, mark.withSealed(read));
  }

  /** Attempts that were given up, with their times. */
  Map<String, Long> givenUp() {
    return givenUp;
  }

  Set<String> settled() {
    return settled;
  }

  /** An attempt that was given up is among the settled ones. */
  void settledAfterAll() {
    doubt = "an attempt that was given up was settled after all";
  }

  Map<Long, SegmentMark> before() {
    return before;
  }

  Collection<SegmentMark> marks() {
    return marks.values();
  }

  @Nullable String doubt() {
    return doubt;
  }
}
