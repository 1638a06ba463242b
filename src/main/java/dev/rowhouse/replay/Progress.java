package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** How far a replay is. Written by its one thread, read by who tells of it. */
final class Progress {
  private final long beginNanos = System.nanoTime();
  private final AtomicLong tenants = new AtomicLong();
  private final AtomicLong tenantsDone = new AtomicLong();
  private final AtomicLong records = new AtomicLong();
  private final AtomicBoolean cancelled = new AtomicBoolean();

  void tenants(long count) {
    tenants.set(count);
  }

  long tenantsDone() {
    return tenantsDone.get();
  }

  void tenantDone() {
    tenantsDone.incrementAndGet();
  }

  /** Only the replay's own thread calls this, once for each record; an ordered store is enough. */
  void record() {
    records.lazySet(records.getPlain() + 1);
  }

  long records() {
    return records.get();
  }

  void cancel() {
    cancelled.set(true);
  }

  boolean isCancelled() {
    return cancelled.get();
  }

  double seconds() {
    return (System.nanoTime() - beginNanos) / 1e9;
  }

  ObjectNode line() {
    ObjectNode line = Json.object();
    add(line.putObject("progress"));
    return line;
  }

  void add(ObjectNode node) {
    double seconds = seconds();
    node.put("tenants_done", tenantsDone.get())
        .put("tenants", Math.max(tenants.get(), tenantsDone.get()))
        .put("records", records.get())
        .put("records_per_second", Math.round(records.get() / Math.max(1e-3, seconds)));
  }
}
