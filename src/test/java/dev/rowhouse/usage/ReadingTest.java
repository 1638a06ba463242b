package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReadingTest {
  private static final long DAY_MILLIS = 24L * 3600 * 1000;

  /**
   * Attempts told of up to three times, over three segments, read with room for a few of them: each
   * counts once, by its best record, whatever was forgotten in between.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void eachAttemptCountsOnceHoweverLittleIsRemembered(int seed) {
    Random random = new Random(seed);
    List<SegmentReader.Stored> rows = new ArrayList<>();
    Map<String, Located> best = new HashMap<>();
    List<StartedEntry> starts = new ArrayList<>();
    Instant now = Sample.NOON;
    for (int segment = 1; segment <= 3; segment++) {
      for (int sequence = 1; sequence <= 60; sequence++) {
        List<UsageRecord> records = new ArrayList<>();
        for (int index = 0; index < 1 + random.nextInt(3); index++) {
          now = now.plusMillis(random.nextInt(200));
          starts.add(Sample.start(now));
          StartedEntry start =
              random.nextInt(4) == 0 ? starts.get(random.nextInt(starts.size())) : starts.getLast();
          UsageRecord record =
              random.nextInt(5) == 0
                  ? UsageRecord.unknown(start)
                  : Sample.record(
                      start.attempt(),
                      Instant.ofEpochMilli(start.timeMillis()),
                      7,
                      1 + random.nextInt(9));
          if (random.nextInt(4) == 0) {
            record = LedgerUnionTest.estimated(record, record.outputTokens());
          }
          records.add(record);
          Located located = new Located(new Position(segment, sequence, index), record);
          best.merge(
              record.attempt(),
              located,
              (one, other) -> Located.BEST_FIRST.compare(one, other) <= 0 ? one : other);
        }
        rows.add(
            new SegmentReader.Stored(
                segment, sequence, new LedgerEvent.Recorded(records, List.of())));
      }
    }
    Totals[] totals = {Totals.NONE};
    UsageJournal.Tally tally =
        new UsageJournal.Tally() {
          @Override
          public void counted(UsageRecord record) {
            totals[0] = totals[0].plus(record);
          }

          @Override
          public void taken(UsageRecord record) {
            totals[0] = totals[0].minus(record);
          }
        };
    Reading reading = new Reading(TimeRange.ALL, DAY_MILLIS, 4 + random.nextInt(40), 1_000, tally);
    rows.forEach(reading::take);
    rows.forEach(reading::lookAgain);
    reading.resolve();

    Totals expected = Totals.NONE;
    for (Located one : best.values()) {
      expected = expected.plus(one.record());
      assertFalse(reading.skipped().contains(one.position()), one.toString());
    }
    assertEquals(expected, totals[0]);
    assertEquals(best.size(), reading.records());
    long all =
        rows.stream().mapToLong(row -> ((LedgerEvent.Recorded) row.event()).records().size()).sum();
    assertEquals(all - best.size(), reading.skipped().size());
  }

  @Test
  void whatIsCalledNewWasNeverMet() {
    Random random = new Random(3);
    AttemptsSeen seen = new AttemptsSeen(500);
    Set<UUID> met = new HashSet<>();
    List<UUID> all = new ArrayList<>();
    int fresh = 0;
    for (int i = 0; i < 5_000; i++) {
      UUID attempt =
          i % 5 == 4
              ? all.get(random.nextInt(all.size()))
              : AttemptId.parse(Sample.attempt(Sample.NOON.plusMillis(i)));
      all.add(attempt);
      boolean isNew = seen.isNew(attempt);
      assertFalse(isNew && met.contains(attempt), "met before: " + attempt);
      met.add(attempt);
      fresh += isNew ? 1 : 0;
    }
    assertTrue(fresh > 3_900, "all but a few of the 4000 fresh ones are known to be: " + fresh);
  }
}
