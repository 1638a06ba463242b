package dev.rowhouse.serving;

import dev.rowhouse.usage.UsageRecord;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * What the attempts came to that tenants' actors of this process have settled, since it started:
 * sums over all tenants, for the node's metrics. The ledger, not this, is what is billed.
 */
public final class SettledCounts {
  private static final Map<UsageRecord.Status, LongAdder> ATTEMPTS =
      new EnumMap<>(UsageRecord.Status.class);

  static {
    for (UsageRecord.Status status : UsageRecord.Status.values()) {
      ATTEMPTS.put(status, new LongAdder());
    }
  }

  private static final LongAdder INPUT = new LongAdder();
  private static final LongAdder OUTPUT = new LongAdder();
  private static final LongAdder QUEUED_MILLIS = new LongAdder();

  private SettledCounts() {}

  static void add(UsageRecord settled) {
    LongAdder attempts = ATTEMPTS.get(settled.status());
    if (attempts != null) {
      attempts.increment();
    }
    INPUT.add(settled.inputTokens());
    OUTPUT.add(settled.outputTokens());
    QUEUED_MILLIS.add(Math.max(0, settled.queueMillis()));
  }

  public static long attempts(UsageRecord.Status status) {
    LongAdder attempts = ATTEMPTS.get(status);
    return attempts == null ? 0 : attempts.sum();
  }

  public static long inputTokens() {
    return INPUT.sum();
  }

  public static long outputTokens() {
    return OUTPUT.sum();
  }

  /** The time that they waited for a slot, together. */
  public static long queuedMillis() {
    return QUEUED_MILLIS.sum();
  }
}
