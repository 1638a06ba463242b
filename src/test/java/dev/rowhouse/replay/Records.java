package dev.rowhouse.replay;

import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.UsageRecord;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Records as a test wants them. */
final class Records {
  static final Instant NOON = Instant.parse("2026-03-10T12:00:00Z");
  private static final RandomGenerator RANDOM = new SplittableRandom(11);

  private Records() {}

  static UsageRecord of(String asked, String answeredBy, long input, long output) {
    return at(0, asked, answeredBy, input, output, 100, 0);
  }

  /** A request that came so long after noon, waited and then ran. */
  static synchronized UsageRecord at(
      long afterNoonMillis,
      String asked,
      String answeredBy,
      long input,
      long output,
      long latencyMillis,
      long queueMillis) {
    Instant time = NOON.plusMillis(afterNoonMillis);
    return new UsageRecord(
        AttemptId.mint(time, RANDOM),
        time.toEpochMilli(),
        "key1",
        asked,
        answeredBy,
        input,
        output,
        UsageRecord.Status.COMPLETED,
        200,
        null,
        false,
        false,
        latencyMillis,
        10,
        queueMillis,
        UsageRecord.MISS,
        "label",
        input + 2 * output,
        0);
  }
}
