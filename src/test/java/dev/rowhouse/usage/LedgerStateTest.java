package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

final class LedgerStateTest {
  private static final Instant NOON = Sample.NOON;
  private static final LedgerRules RULES =
      new LedgerRules(Duration.ofMinutes(30).toMillis(), 1_000, Duration.ofMinutes(20).toMillis());

  private final LedgerState state = new LedgerState(RULES, ZoneOffset.UTC);

  private static LedgerEvent recorded(UsageRecord... records) {
    return new LedgerEvent.Recorded(List.of(records), List.of());
  }

  private static LedgerEvent started(StartedEntry... entries) {
    return new LedgerEvent.Recorded(List.of(), List.of(entries));
  }

  @Nested
  final class WhenCounting {
    @Test
    void addsUpByOutcome() {
      state.apply(
          1,
          1,
          recorded(
              Sample.record(NOON),
              status(UsageRecord.Status.CANCELLED),
              status(UsageRecord.Status.FAILED)));
      assertEquals(new Totals(1, 1, 1, 0, 30, 15, 3 * (30 + 45)), state.totals());
      assertEquals(3, state.totals().requests());
      assertEquals(45, state.totals().tokens());
    }

    @Test
    void keepsAnExplicitZero() {
      state.apply(1, 1, recorded(Sample.record(Sample.attempt(NOON), NOON, 0, 0)));
      assertEquals(new Totals(1, 0, 0, 0, 0, 0, 0), state.totals());
    }

    @Test
    void takesAnEventInOnce() {
      LedgerEvent event = recorded(Sample.record(NOON));
      state.apply(1, 1, event);
      state.apply(1, 1, event);
      assertEquals(1, state.totals().requests());
    }

    @Test
    void openingASegmentChangesNoTotal() {
      state.apply(1, 1, recorded(Sample.record(NOON)));
      Totals before = state.totals();
      state.apply(
          2,
          1,
          new LedgerEvent.SegmentOpened(2, 0, "me", new Totals(9, 9, 9, 9, 9, 9, 9), Map.of()));
      assertEquals(before, state.totals());
      assertEquals(Map.of(1L, 1L, 2L, 1L), state.read());
    }

    private UsageRecord status(UsageRecord.Status status) {
      return Sample.record(Sample.attempt(NOON), NOON, "key1", "small", 10, 5, status);
    }
  }

  @Nested
  final class WhenAnAttemptComesAgain {
    private final UsageRecord record = Sample.record(NOON);

    @Test
    void doesNotWriteItAgain() {
      state.apply(1, 1, recorded(record));
      assertTrue(state.sift(List.of(record), List.of(), null).isEmpty());
    }

    @Test
    void writesItOnceWhenItStandsTwiceInABatch() {
      assertEquals(List.of(record), state.sift(List.of(record, record), List.of(), null).records());
    }

    @Test
    void countsItOnceOverTwoSegmentsInAnyOrder() {
      UsageRecord estimated = LedgerUnionTest.estimated(record, 99);
      for (boolean estimateFirst : List.of(true, false)) {
        LedgerState union = new LedgerState(RULES, ZoneOffset.UTC);
        UsageRecord first = estimateFirst ? estimated : record;
        UsageRecord second = estimateFirst ? record : estimated;
        union.apply(1, 1, recorded(first));
        union.apply(2, 1, recorded(second));
        UUID attempt = AttemptId.parse(record.attempt());
        assertEquals(Set.of(attempt), union.doubtful());
        union.resolve(
            attempt,
            List.of(
                new Located(new Position(1, 1, 0), first),
                new Located(new Position(2, 1, 0), second)));
        assertEquals(new Totals(1, 0, 0, 0, 10, 5, 75), union.totals());
        assertEquals(1, union.skipped().size());
        assertTrue(union.isSkipped(new Position(estimateFirst ? 1 : 2, 1, 0)));
      }
    }

    @Test
    void doesNotCountWhatItHasNotReadYet() {
      state.apply(1, 1, recorded(record));
      state.apply(2, 1, recorded(record));
      UUID attempt = AttemptId.parse(record.attempt());
      state.resolve(
          attempt,
          List.of(
              new Located(new Position(1, 1, 0), record),
              new Located(new Position(1, 7, 0), record),
              new Located(new Position(2, 1, 0), record)));
      assertEquals(1, state.totals().requests());
      assertFalse(state.isSkipped(new Position(1, 1, 0)));
    }
  }

  @Nested
  final class WhenAnAttemptIsOlderThanTheWindow {
    private final UsageRecord old = Sample.record(NOON);

    private void passTime() {
      state.apply(1, 2, recorded(Sample.record(NOON.plus(Duration.ofHours(2)))));
    }

    @Test
    void neitherAddsNorDropsItBlindly() {
      state.apply(1, 1, recorded(old));
      passTime();
      UUID attempt = AttemptId.parse(old.attempt());
      assertNull(state.positionOf(attempt));
      LedgerState.Sifted sifted = state.sift(List.of(old), List.of(), null);
      assertEquals(Set.of(attempt), sifted.unsure());
      assertTrue(sifted.isEmpty());
      assertTrue(state.sift(List.of(old), List.of(), Set.of(attempt)).isEmpty());
      assertEquals(List.of(old), state.sift(List.of(old), List.of(), Set.of()).records());
    }

    @Test
    void countsItOnceTheJournalHasBeenAsked() {
      state.apply(1, 1, recorded(Sample.record(NOON.plusMillis(1))));
      passTime();
      state.apply(1, 3, recorded(old));
      state.apply(1, 4, recorded(Sample.record(NOON.plus(Duration.ofHours(3)))));
      state.apply(1, 5, recorded(old));
      assertEquals(3, state.totals().requests());
      UUID attempt = AttemptId.parse(old.attempt());
      state.resolve(
          attempt,
          List.of(
              new Located(new Position(1, 3, 0), old), new Located(new Position(1, 5, 0), old)));
      assertEquals(4, state.totals().requests());
      assertTrue(state.isSkipped(new Position(1, 5, 0)));
      assertFalse(state.isSkipped(new Position(1, 3, 0)));
    }

    @Test
    void trustsAStartThatItHasSeen() {
      StartedEntry start = Sample.start(NOON);
      state.apply(1, 1, started(start));
      passTime();
      UsageRecord late = Sample.record(start.attempt(), NOON, 1, 1);
      assertEquals(List.of(late), state.sift(List.of(late), List.of(), null).records());
      state.apply(1, 3, recorded(late));
      assertEquals(2, state.totals().requests());
      assertTrue(state.doubtful().isEmpty());
    }

    @Test
    void remembersNoMoreThanItMay() {
      for (int i = 1; i <= 3_000; i++) {
        state.apply(1, i, recorded(Sample.record(NOON.plusMillis(i))));
      }
      assertEquals(1_000, state.windowSize());
      assertEquals(3_000, state.totals().requests());
    }
  }

  @Nested
  final class WhenNobodySettlesAStart {
    private final StartedEntry start = Sample.start(NOON);
    private final Instant later = NOON.plus(Duration.ofMinutes(20));

    @Test
    void isUnknownAfterTheLongestRun() {
      state.apply(1, 1, started(start));
      assertEquals(List.of(), state.abandoned(later.minusMillis(1)));
      List<UsageRecord> abandoned = state.abandoned(later);
      assertEquals(List.of(UsageRecord.unknown(start)), abandoned);
      state.apply(1, 2, new LedgerEvent.Recorded(abandoned, List.of()));
      assertEquals(new Totals(0, 0, 0, 1, 0, 0, 0), state.totals());
      assertEquals(List.of(), state.abandoned(later));
      assertEquals(List.of(), state.openStarts());
    }

    @Test
    void aLaterRealRecordTakesItsPlace() {
      state.apply(1, 1, started(start));
      state.apply(1, 2, recorded(UsageRecord.unknown(start)));
      UsageRecord real = Sample.record(start.attempt(), NOON, 10, 5);
      assertEquals(List.of(real), state.sift(List.of(real), List.of(), null).records());
      assertEquals(List.of(), state.settledLately(10));
      state.apply(1, 3, recorded(real));
      assertEquals(List.of(start.attempt()), state.settledLately(10));
      assertEquals(List.of(), state.settledLately(0));
      assertEquals(new Totals(1, 0, 0, 0, 10, 5, 75), state.totals());
      assertEquals(Set.of(new Position(1, 2, 0)), state.skipped());
      List<UsageRow> rows = state.rows(Bucket.DAY, NOON, NOON.plusSeconds(1), GroupBy.NOTHING);
      assertEquals(1, rows.getFirst().requests());
    }

    @Test
    void anUnknownNeverReplacesARealOne() {
      state.apply(1, 1, recorded(Sample.record(start.attempt(), NOON, 10, 5)));
      state.apply(2, 1, recorded(UsageRecord.unknown(start)));
      assertEquals(new Totals(1, 0, 0, 0, 10, 5, 75), state.totals());
    }

    @Test
    void aStartAfterItsRecordIsNotOpen() {
      state.apply(1, 1, recorded(Sample.record(start.attempt(), NOON, 10, 5)));
      state.apply(2, 1, started(start));
      assertEquals(List.of(), state.openStarts());
    }
  }

  @Nested
  final class WhenRollingUp {
    @Test
    void groupsByModelOrKey() {
      state.apply(
          1,
          1,
          recorded(
              of("key1", "small", NOON), of("key2", "small", NOON), of("key1", "large", NOON)));
      assertEquals(
          List.of(
              new UsageRow(NOON, "large", 1, 10, 5, 75),
              new UsageRow(NOON, "small", 2, 20, 10, 150)),
          state.rows(Bucket.HOUR, NOON, NOON.plusSeconds(1), GroupBy.MODEL));
      assertEquals(
          List.of("key1", "key2"),
          state.rows(Bucket.HOUR, NOON, NOON.plusSeconds(1), GroupBy.KEY).stream()
              .map(UsageRow::group)
              .toList());
      assertEquals(
          List.of(new UsageRow(NOON, null, 3, 30, 15, 225)),
          state.rows(Bucket.MINUTE, NOON, NOON.plusSeconds(1), GroupBy.NOTHING));
    }

    @Test
    void forgetsMinutesAfterTwoDaysAndHoursAfterNinetyAndDaysNever() {
      state.apply(1, 1, recorded(Sample.record(NOON)));
      state.apply(1, 2, recorded(Sample.record(NOON.plus(Duration.ofDays(2)).plusSeconds(60))));
      assertEquals(1, count(Bucket.MINUTE));
      assertEquals(2, count(Bucket.HOUR));
      state.apply(1, 3, recorded(Sample.record(NOON.plus(Duration.ofDays(91)))));
      assertEquals(1, count(Bucket.MINUTE));
      assertEquals(2, count(Bucket.HOUR));
      assertEquals(3, count(Bucket.DAY));
    }

    @Test
    void doesNotBringBackABucketThatAgedOut() {
      state.apply(1, 1, recorded(Sample.record(NOON.plus(Duration.ofDays(3)))));
      state.apply(1, 2, recorded(Sample.record(NOON.plus(Duration.ofDays(3)))));
      StartedEntry start = Sample.start(NOON);
      state.apply(1, 3, started(start));
      state.apply(1, 4, recorded(Sample.record(NOON.plus(Duration.ofDays(3)))));
      assertEquals(1, count(Bucket.MINUTE));
    }

    private int count(Bucket bucket) {
      return state
          .rows(
              bucket, NOON.minus(Duration.ofDays(1)), NOON.plus(Duration.ofDays(100)), GroupBy.KEY)
          .size();
    }

    private UsageRecord of(String key, String model, Instant time) {
      return Sample.record(
          Sample.attempt(time), time, key, model, 10, 5, UsageRecord.Status.COMPLETED);
    }
  }

  @Nested
  final class WhenAMonthEnds {
    @Test
    void goesByTheTenantsTimeZone() {
      ZoneId zone = ZoneId.of("Asia/Kathmandu"); // UTC+05:45
      LedgerState there = new LedgerState(RULES, zone);
      Instant lastOfMarch = Instant.parse("2026-03-31T18:14:59.999Z");
      Instant firstOfApril = Instant.parse("2026-03-31T18:15:00Z");
      there.apply(1, 1, recorded(Sample.record(lastOfMarch), Sample.record(firstOfApril)));
      there.apply(1, 2, recorded(Sample.record(firstOfApril.plusSeconds(1))));
      assertEquals(new MonthUse("2026-03", 1, 10, 5, 75), there.month(lastOfMarch));
      assertEquals(new MonthUse("2026-04", 2, 20, 10, 150), there.month(firstOfApril));
      state.apply(1, 1, recorded(Sample.record(lastOfMarch), Sample.record(firstOfApril)));
      assertEquals(2, state.month(firstOfApril).requests());
    }

    @Test
    void anotherZoneAsksForARebuild() {
      state.apply(1, 1, recorded(Sample.record(NOON)));
      LedgerSnapshot snapshot = state.snapshot(NOON);
      assertNotNull(LedgerState.restore(RULES, ZoneOffset.UTC, snapshot));
      assertNull(LedgerState.restore(RULES, ZoneId.of("Asia/Kathmandu"), snapshot));
    }
  }

  @Test
  void knowsWhatTheLastMinuteUsed() {
    state.apply(
        1, 1, recorded(Sample.record(NOON.minusSeconds(70)), Sample.record(NOON.minusSeconds(30))));
    state.apply(1, 2, recorded(Sample.record(NOON), Sample.record(NOON)));
    assertEquals(
        List.of(
            new SecondUse(NOON.getEpochSecond() - 30, 1, 15),
            new SecondUse(NOON.getEpochSecond(), 2, 30)),
        state.lastMinute(NOON));
    assertEquals(List.of(), state.lastMinute(NOON.plusSeconds(61)));
  }
}
