package dev.rowhouse.reporting;

import java.util.concurrent.atomic.AtomicLong;

/** What this node has compared, for /metrics. */
public final class ReconcileCounts {
  private final AtomicLong tenants = new AtomicLong();
  private final AtomicLong differences = new AtomicLong();
  private final AtomicLong alarms = new AtomicLong();
  private final AtomicLong rebuilt = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();

  void add(Reconciliation.Outcome outcome) {
    tenants.incrementAndGet();
    differences.addAndGet(outcome.differences().size());
    alarms.addAndGet(outcome.isAlarming() ? 1 : 0);
    rebuilt.addAndGet(outcome.repaired() ? 1 : 0);
  }

  void failed() {
    failures.incrementAndGet();
  }

  public long tenants() {
    return tenants.get();
  }

  public long differences() {
    return differences.get();
  }

  /** Tenants whose figures differed although nothing had announced it. */
  public long alarms() {
    return alarms.get();
  }

  public long rebuilt() {
    return rebuilt.get();
  }

  /** Tenants that could not be compared: their journal or the tables could not be read. */
  public long failures() {
    return failures.get();
  }
}
