package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LedgerUnionTest {
  private static final Instant NOON = Sample.NOON;

  /**
   * Two writers tell of the same attempts, in any order of reading, with snapshots in between: the
   * figures are the same, and each attempt counts once.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void theUnionDoesNotDependOnTheOrderOfReading(int seed) {
    Random random = new Random(seed);
    LedgerRules small = new LedgerRules(5_000, 40, 60_000);
    List<List<LedgerEvent>> segments =
        List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    Map<String, UsageRecord> best = new HashMap<>();
    Map<UUID, List<Located>> everywhere = new HashMap<>();
    List<StartedEntry> starts = new ArrayList<>();
    Instant now = NOON;
    for (int i = 0; i < 200; i++) {
      now = now.plusMillis(random.nextInt(200));
      StartedEntry fresh = Sample.start(now);
      starts.add(fresh);
      StartedEntry start =
          random.nextInt(3) == 0 ? starts.get(random.nextInt(starts.size())) : fresh;
      UsageRecord record =
          random.nextInt(5) == 0
              ? UsageRecord.unknown(start)
              : Sample.record(
                  start.attempt(),
                  Instant.ofEpochMilli(start.timeMillis()),
                  7,
                  1 + random.nextInt(9));
      record = random.nextInt(4) == 0 ? estimated(record, record.outputTokens()) : record;
      int segment = random.nextInt(3);
      List<LedgerEvent> events = segments.get(segment);
      events.add(
          new LedgerEvent.Recorded(
              List.of(record), random.nextBoolean() ? List.of(start) : List.of()));
      everywhere
          .computeIfAbsent(AttemptId.parse(record.attempt()), id -> new ArrayList<>())
          .add(new Located(new Position(segment + 1, events.size(), 0), record));
    }
    everywhere.forEach(
        (attempt, all) ->
            best.put(
                attempt.toString(),
                all.stream().sorted(Located.BEST_FIRST).toList().getFirst().record()));
    Totals expected = Totals.NONE;
    for (UsageRecord record : best.values()) {
      expected = expected.plus(record);
    }

    for (int walk = 0; walk < 4; walk++) {
      LedgerState union = new LedgerState(small, ZoneOffset.UTC);
      long[] next = {0, 0, 0};
      while (true) {
        int segment = random.nextInt(3);
        if (next[segment] < segments.get(segment).size()) {
          LedgerEvent event = segments.get(segment).get((int) next[segment]);
          next[segment]++;
          union.apply(segment + 1, next[segment], event);
        } else if (next[0] + next[1] + next[2] == 200) {
          break;
        }
        if (random.nextInt(10) == 0) {
          settle(union, everywhere);
        }
        if (random.nextInt(10) == 0) {
          LedgerState restored = LedgerState.restore(small, ZoneOffset.UTC, union.snapshot(now));
          assertNotNull(restored);
          union = restored;
        }
      }
      settle(union, everywhere);
      assertEquals(expected, union.totals());
      assertEquals(200 - best.size(), union.skipped().size());
      assertEquals(
          expected.costMicros(),
          union.rows(Bucket.DAY, NOON, now.plusSeconds(1), GroupBy.KEY).stream()
              .mapToLong(UsageRow::costMicros)
              .sum());
      assertEquals(expected.requests(), union.month(now).requests());
    }
  }

  private static void settle(LedgerState union, Map<UUID, List<Located>> everywhere) {
    for (UUID attempt : union.doubtful()) {
      union.resolve(attempt, everywhere.getOrDefault(attempt, List.of()));
    }
  }

  static UsageRecord estimated(UsageRecord record, long output) {
    return new UsageRecord(
        record.attempt(),
        record.timeMillis(),
        record.keyId(),
        record.modelAsked(),
        record.answeredBy(),
        record.inputTokens(),
        output,
        record.status(),
        record.httpStatus(),
        record.errorCode(),
        record.stream(),
        true,
        record.latencyMillis(),
        record.timeToFirstTokenMillis(),
        record.queueMillis(),
        record.cache(),
        record.label(),
        record.costMicros(),
        record.passages());
  }
}
