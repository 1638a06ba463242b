package dev.rowhouse.serving;

import dev.rowhouse.usage.StartedEntry;
import dev.rowhouse.usage.UsageRecord;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Group commit: what the next batch of the ledger will hold, while at most one batch is on its way.
 * Pure, with the time passed in.
 *
 * <p>A record that comes alone is written at once. Those that come within {@code lingerMillis} of
 * the last batch gather until then: the price of a commit is shared by them.
 *
 * <p>A batch stays here until it is acknowledged, and goes out again as it was when it failed. The
 * start of a request is written by itself only when the request runs longer than {@code
 * startedLingerMillis}; a shorter one is known by its end alone.
 */
final class RecordBatcher {
  /** One batch for the ledger. */
  record Batch(long number, List<UsageRecord> records, List<StartedEntry> started) {}

  private record Start(StartedEntry entry, long sinceMillis) {}

  private final int batchMax;
  private final long lingerMillis;
  private final long startedLingerMillis;
  private final Map<String, UsageRecord> pending = new LinkedHashMap<>();
  private final Map<String, Start> starts = new LinkedHashMap<>();
  private @Nullable Batch inHand;
  private long lastSentMillis;
  private long batches;

  RecordBatcher(int batchMax, long lingerMillis, long startedLingerMillis) {
    this.batchMax = batchMax;
    this.lingerMillis = lingerMillis;
    this.startedLingerMillis = startedLingerMillis;
  }

  void started(StartedEntry entry, long nowMillis) {
    starts.putIfAbsent(entry.attempt(), new Start(entry, nowMillis));
  }

  /** The request left before it ran: there is no attempt to tell of. */
  void withdrawn(String attempt) {
    starts.remove(attempt);
  }

  /** The end of an attempt; its start, if not written yet, need not be written any more. */
  void ended(UsageRecord record) {
    starts.remove(record.attempt());
    pending.putIfAbsent(record.attempt(), record);
  }

  /** Whether the record of that attempt is here and not yet durable. */
  boolean holds(String attempt) {
    if (pending.containsKey(attempt)) {
      return true;
    }
    Batch batch = inHand;
    return batch != null
        && batch.records().stream().anyMatch(record -> record.attempt().equals(attempt));
  }

  /** The next batch, if one is due and none is on its way. */
  @Nullable Batch next(long nowMillis) {
    if (inHand != null || millisUntilDue(nowMillis) > 0) {
      return null;
    }
    List<UsageRecord> records = new ArrayList<>(Math.min(pending.size(), batchMax));
    Iterator<UsageRecord> ready = pending.values().iterator();
    while (ready.hasNext() && records.size() < batchMax) {
      records.add(ready.next());
      ready.remove();
    }
    lastSentMillis = nowMillis;
    List<StartedEntry> started = new ArrayList<>();
    Iterator<Start> waiting = starts.values().iterator();
    while (waiting.hasNext() && started.size() < batchMax) {
      Start start = waiting.next();
      if (nowMillis - start.sinceMillis() < startedLingerMillis) {
        break;
      }
      started.add(start.entry());
      waiting.remove();
    }
    inHand = new Batch(++batches, List.copyOf(records), List.copyOf(started));
    return inHand;
  }

  /** The batch on its way, to be sent again. */
  @Nullable Batch again() {
    return inHand;
  }

  /** The batch is durable; null when that was known before. */
  @Nullable Batch acknowledged(long number) {
    Batch batch = inHand;
    if (batch == null || batch.number() != number) {
      return null;
    }
    inHand = null;
    return batch;
  }

  /** Milliseconds until a batch is due; 0: now; Long.MAX_VALUE: nothing to write. */
  long millisUntilDue(long nowMillis) {
    long due = Long.MAX_VALUE;
    if (!pending.isEmpty()) {
      due = pending.size() >= batchMax ? nowMillis : lastSentMillis + lingerMillis;
    }
    if (!starts.isEmpty()) {
      Start oldest = starts.values().iterator().next();
      due = Math.min(due, oldest.sinceMillis() + startedLingerMillis);
    }
    return due == Long.MAX_VALUE ? due : Math.max(0, due - nowMillis);
  }

  /** The records that no acknowledgement has come for, oldest first. */
  List<UsageRecord> unwritten() {
    List<UsageRecord> records = new ArrayList<>();
    if (inHand != null) {
      records.addAll(inHand.records());
    }
    records.addAll(pending.values());
    return records;
  }

  int size() {
    Batch batch = inHand;
    return pending.size() + (batch == null ? 0 : batch.records().size());
  }

  boolean isEmpty() {
    return pending.isEmpty() && inHand == null;
  }
}
