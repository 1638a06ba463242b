package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** Times from the arrival of a record to its commit, and from the append to the commit. */
final class LedgerFigures {
  /** Tenths of a millisecond, up to twenty seconds. */
  private static final int SLOTS = 200_000;

  private static final long SLOT_NANOS = 100_000;

  private final AtomicLongArray records = new AtomicLongArray(SLOTS);
  private final AtomicLongArray commits = new AtomicLongArray(SLOTS);
  private final LongAdder recordCount = new LongAdder();
  private final LongAdder commitCount = new LongAdder();

  void record(long nanos) {
    records.incrementAndGet(slot(nanos));
    recordCount.increment();
  }

  void commit(long nanos) {
    commits.incrementAndGet(slot(nanos));
    commitCount.increment();
  }

  private static int slot(long nanos) {
    return (int) Math.min(SLOTS - 1, Math.max(0, nanos) / SLOT_NANOS);
  }

  void report(ObjectNode to, double seconds, double cpuMicros) {
    long all = recordCount.sum();
    to.put("records", all);
    to.put("records_per_second", Math.round(all / seconds));
    to.put("events_per_second", Math.round(commitCount.sum() / seconds));
    to.put("commit_p50_ms", quantile(commits, commitCount.sum(), 0.5));
    to.put("commit_p99_ms", quantile(commits, commitCount.sum(), 0.99));
    to.put("record_p50_ms", quantile(records, all, 0.5));
    to.put("record_p99_ms", quantile(records, all, 0.99));
    to.put("cpu_micros_per_record", Math.round(10 * cpuMicros / all) / 10.0);
  }

  private static double quantile(AtomicLongArray slots, long all, double share) {
    long left = (long) (all * share);
    for (int slot = 0; slot < SLOTS; slot++) {
      left -= slots.get(slot);
      if (left < 0) {
        return slot / 10.0;
      }
    }
    return SLOTS / 10.0;
  }
}
