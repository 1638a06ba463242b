package dev.rowhouse.reporting;

import com.typesafe.config.Config;
import java.time.Duration;

/** The tunables of this room, {@code rowhouse.reporting}; conf/reporting.conf has their reasons. */
public record ReportingSettings(
    String readJournal,
    Duration foldAfter,
    Duration foldEvery,
    int foldSegmentsMax,
    int tenantsPerMinute,
    Duration passEvery,
    Duration grace,
    Duration retryAfter,
    Duration unknownKept,
    Duration hoursMax,
    Duration daysMax,
    Duration monthsMax,
    Duration queryTimeout,
    int queriesMax,
    int pageRowsMax,
    int tenantsMax,
    Duration anchorEvery,
    int anchorsMax) {

  public ReportingSettings {
    if (foldSegmentsMax < 1
        || tenantsPerMinute < 0
        || queriesMax < 1
        || pageRowsMax < 1
        || tenantsMax < 1) {
      throw new IllegalArgumentException("a limit of rowhouse.reporting is too small");
    }
  }

  public static ReportingSettings of(Config config) {
    Config reporting = config.getConfig("rowhouse.reporting");
    return new ReportingSettings(
        config.getString("rowhouse.usage.read-journal"),
        reporting.getDuration("fold-after"),
        reporting.getDuration("fold-every"),
        reporting.getInt("fold-segments-max"),
        reporting.getInt("reconcile-tenants-per-minute"),
        reporting.getDuration("reconcile-every"),
        reporting.getDuration("reconcile-grace"),
        reporting.getDuration("reconcile-retry"),
        reporting.getDuration("unknown-kept"),
        reporting.getDuration("range-max.hour"),
        reporting.getDuration("range-max.day"),
        reporting.getDuration("range-max.month"),
        reporting.getDuration("query-timeout"),
        reporting.getInt("queries-max"),
        reporting.getInt("page-rows-max"),
        reporting.getInt("tenants-max"),
        config.getDuration("rowhouse.audit.anchor-every"),
        config.getInt("rowhouse.audit.anchors-max"));
  }
}
