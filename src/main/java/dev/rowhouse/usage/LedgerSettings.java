package dev.rowhouse.usage;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The tunables of a ledger, from {@code rowhouse.usage}; conf/usage.conf has their units and
 * reasons.
 */
public record LedgerSettings(
    LedgerRules rules,
    int snapshotEvery,
    int snapshotsKept,
    Duration checkEvery,
    Duration reconcileEvery,
    Duration lateWritesMax,
    Duration restartBackoffMin,
    Duration restartBackoffMax,
    int readsMax,
    int queriesWaitingMax,
    Duration recordsVisible,
    String readJournal,
    String blockingDispatcher) {

  public LedgerSettings {
    if (snapshotEvery < 2 || snapshotsKept < 1 || readsMax < 1 || queriesWaitingMax < 1) {
      throw new IllegalArgumentException("a limit of rowhouse.usage is too small");
    }
    if (restartBackoffMin.compareTo(restartBackoffMax) > 0 || !restartBackoffMin.isPositive()) {
      throw new IllegalArgumentException("rowhouse.usage.restart-backoff-min is not in (0, max]");
    }
    if (!recordsVisible.isPositive()) {
      throw new IllegalArgumentException("rowhouse.usage.records-visible is not above 0");
    }
  }

  public static LedgerSettings of(Config config) {
    Config usage = config.getConfig("rowhouse.usage");
    return new LedgerSettings(
        LedgerRules.of(usage),
        usage.getInt("snapshot-every"),
        usage.getInt("snapshots-kept"),
        usage.getDuration("check-every"),
        usage.getDuration("reconcile-every"),
        usage.getDuration("late-writes-max"),
        usage.getDuration("restart-backoff-min"),
        usage.getDuration("restart-backoff-max"),
        usage.getInt("reads-max"),
        usage.getInt("queries-waiting-max"),
        usage.getDuration("records-visible"),
        usage.getString("read-journal"),
        usage.getString("blocking-dispatcher"));
  }

  /** The first event of a segment carries all that came before; then each so many. */
  boolean isSnapshotAt(long sequence) {
    return sequence == 1 || sequence % snapshotEvery == 0;
  }

  Duration backoff(int failures) {
    Duration delay = restartBackoffMin.multipliedBy(1L << Math.min(failures, 20));
    return delay.compareTo(restartBackoffMax) > 0 ? restartBackoffMax : delay;
  }
}
