package dev.rowhouse.usage;

import java.time.Instant;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Records as a test wants them. */
final class Sample {
  static final Instant NOON = Instant.parse("2026-03-10T12:00:00Z");
  private static final RandomGenerator RANDOM = new Random(7);

  private Sample() {}

  static synchronized String attempt(Instant time) {
    return AttemptId.mint(time, RANDOM);
  }

  static UsageRecord record(Instant time) {
    return record(attempt(time), time, 10, 5);
  }

  static UsageRecord record(String attempt, Instant time, long input, long output) {
    return record(attempt, time, "key1", "small", input, output, UsageRecord.Status.COMPLETED);
  }

  static UsageRecord record(
      String attempt,
      Instant time,
      String key,
      String model,
      long input,
      long output,
      UsageRecord.Status status) {
    @Nullable String error = status == UsageRecord.Status.FAILED ? "upstream_error" : null;
    return new UsageRecord(
        attempt,
        time.toEpochMilli(),
        key,
        model,
        model + "-2026",
        input,
        output,
        status,
        200,
        error,
        true,
        false,
        250,
        40,
        3,
        UsageRecord.MISS,
        "label-1",
        3 * input + 9 * output,
        2);
  }

  static StartedEntry start(Instant time) {
    return start(attempt(time), time);
  }

  static StartedEntry start(String attempt, Instant time) {
    return new StartedEntry(attempt, time.toEpochMilli(), "key1", "small", 100);
  }
}
