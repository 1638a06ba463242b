package dev.rowhouse.audit;

import com.typesafe.config.Config;
import java.time.Duration;

/** The tunables of the log, {@code rowhouse.audit}; conf/audit.conf has their reasons. */
public record AuditSettings(
    Duration writeTimeout, int waitingMax, int batchMax, Duration keep, Duration pruneEvery) {
  public AuditSettings {
    if (waitingMax < 1 || batchMax < 1 || !writeTimeout.isPositive() || !keep.isPositive()) {
      throw new IllegalArgumentException("a limit of rowhouse.audit is too small");
    }
  }

  public static AuditSettings of(Config config) {
    Config audit = config.getConfig("rowhouse.audit");
    return new AuditSettings(
        audit.getDuration("write-timeout"),
        audit.getInt("waiting-max"),
        audit.getInt("batch-max"),
        audit.getDuration("keep"),
        audit.getDuration("prune-every"));
  }
}
