package dev.rowhouse.serving;

import com.typesafe.config.Config;

/** The tunables of {@code conf/serving.conf}; units and reasons are there. */
public record ServingSettings(
    int batchMax,
    long lingerMillis,
    long startedLingerMillis,
    int pendingMax,
    long retryMillis,
    int startStashMax,
    long passivateAfterMillis,
    long overdueGraceMillis,
    long censusMaxMillis,
    long durableWaitMillis,
    int answerBytesMax,
    double smallCostMax) {

  public static ServingSettings of(Config root) {
    Config config = root.getConfig("rowhouse.serving");
    Config ledger = config.getConfig("ledger");
    return new ServingSettings(
        ledger.getInt("batch-max"),
        ledger.getDuration("linger").toMillis(),
        ledger.getDuration("started-linger").toMillis(),
        ledger.getInt("pending-max"),
        ledger.getDuration("retry-pause").toMillis(),
        config.getInt("start-stash-max"),
        config.getDuration("passivate-after").toMillis(),
        config.getDuration("overdue-grace").toMillis(),
        config.getDuration("census-max").toMillis(),
        config.getDuration("durable-wait").toMillis(),
        Math.toIntExact(config.getMemorySize("answer-max").toBytes()),
        root.getDouble("rowhouse.fairness.small-cost-max"));
  }
}
