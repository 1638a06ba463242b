package dev.rowhouse.inference;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The tunables of a worker; conf/fairness.conf has each with its reason.
 *
 * @param tableInterval how often the whole table goes to the coordinator
 * @param tableDelay how long changes are gathered that free no slot
 * @param settlementRetryMin first pause before a settlement is repeated
 * @param settlementRetryMax longest such pause
 * @param settlementsMax runs and settlements not yet acknowledged
 * @param drainTimeout how long a stopping worker waits
 */
public record WorkerSettings(
    Duration tableInterval,
    Duration tableDelay,
    Duration settlementRetryMin,
    Duration settlementRetryMax,
    int settlementsMax,
    Duration drainTimeout) {

  /** Reads {@code rowhouse.fairness.worker}. */
  public static WorkerSettings from(Config root) {
    Config conf = root.getConfig("rowhouse.fairness.worker");
    return new WorkerSettings(
        conf.getDuration("table-interval"),
        conf.getDuration("table-delay"),
        conf.getDuration("settlement-retry-min"),
        conf.getDuration("settlement-retry-max"),
        conf.getInt("settlements-max"),
        conf.getDuration("drain-timeout"));
  }
}
