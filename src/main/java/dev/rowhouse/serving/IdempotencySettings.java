package dev.rowhouse.serving;

import com.typesafe.config.Config;

/** {@code rowhouse.idempotency}; conf/idempotency.conf says what each is for. */
public record IdempotencySettings(
    long keptMillis,
    long answerBytesMax,
    long keysPerTenantMax,
    long bytesPerTenantMax,
    long waitMillisMax,
    long pollMillisMin,
    long pollMillisMax,
    int waitingMax,
    long runningMillisMax,
    long commitWaitMillis,
    long sweepMillis,
    int sweepRows) {
  /** One value of the embedded database holds a little more than this. */
  private static final long ANSWER_BYTES_LIMIT = 1_000_000;

  public IdempotencySettings {
    if (answerBytesMax < 1 || answerBytesMax > ANSWER_BYTES_LIMIT) {
      throw new IllegalArgumentException(
          "rowhouse.idempotency.answer-max must be between 1 and " + ANSWER_BYTES_LIMIT + " bytes");
    }
  }

  public static IdempotencySettings of(Config root) {
    Config conf = root.getConfig("rowhouse.idempotency");
    return new IdempotencySettings(
        conf.getDuration("kept").toMillis(),
        conf.getMemorySize("answer-max").toBytes(),
        conf.getLong("keys-per-tenant-max"),
        conf.getMemorySize("bytes-per-tenant-max").toBytes(),
        conf.getDuration("wait-max").toMillis(),
        conf.getDuration("poll-min").toMillis(),
        conf.getDuration("poll-max").toMillis(),
        conf.getInt("waiting-max"),
        conf.getDuration("running-max").toMillis(),
        conf.getDuration("commit-wait").toMillis(),
        conf.getDuration("sweep-every").toMillis(),
        conf.getInt("sweep-rows"));
  }
}
