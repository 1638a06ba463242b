package dev.rowhouse.usage;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What a ledger tells itself: timers, and the ends of what it had started. What was looked up says
 * for which state; when that is gone, the answer is too.
 */
sealed interface LedgerNote extends UsageLedger.Signal {

  /** The back-off is over. */
  record Reload() implements LedgerNote {}

  /** Time to look for starts that nobody settled and for late writes. */
  record Check() implements LedgerNote {}

  record Claimed(long number) implements LedgerNote {}

  /** A write is on disk. */
  record Landed(Segment.Written written) implements LedgerNote {}

  /** The writer of a segment stopped: its last write may have landed or not. */
  record SegmentLost(long number) implements LedgerNote {}

  /** What the journal has of the old attempts of that batch. */
  record Looked(LedgerState of, long batch, Map<UUID, List<Located>> found) implements LedgerNote {}

  /** What others wrote since. */
  record Late(LedgerState of, List<SegmentReader.Stored> events, Instant readAt)
      implements LedgerNote {}

  /** What the journal has of doubtful attempts. */
  record Resolved(LedgerState of, Set<UUID> attempts, Map<UUID, List<Located>> found)
      implements LedgerNote {}

  /** A query has been answered. */
  record ReadDone() implements LedgerNote {}

  /** Something that the ledger tried did not work. */
  record Failed(String what, Throwable cause) implements LedgerNote {}
}
