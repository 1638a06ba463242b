package dev.rowhouse.replay;

import com.typesafe.config.Config;
import java.time.Duration;

/** The tunables, from {@code rowhouse.replay}; conf/replay.conf has their units and reasons. */
public record ReplaySettings(
    int concurrentMax,
    Duration beginTimeout,
    Duration answerAfter,
    Duration progressInterval,
    int attemptsMax,
    int tenantsMax,
    Duration rangeMax,
    int entriesMax,
    int linesMax,
    int whatIfRecordsMax,
    int timesMax,
    Duration progressCharge) {
  static final String DISPATCHER = "rowhouse.replay.dispatcher";

  public static ReplaySettings of(Config config) {
    Config replay = config.getConfig("rowhouse.replay");
    return new ReplaySettings(
        replay.getInt("concurrent-max"),
        replay.getDuration("begin-timeout"),
        replay.getDuration("answer-after"),
        replay.getDuration("progress-interval"),
        replay.getInt("attempts-max"),
        replay.getInt("tenants-max"),
        replay.getDuration("range-max"),
        replay.getInt("entries-max"),
        replay.getInt("lines-max"),
        replay.getInt("what-if.records-max"),
        replay.getInt("what-if.times-max"),
        replay.getDuration("what-if.progress-charge"));
  }
}
