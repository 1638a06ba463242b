package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ledger on a real journal. */
class UsageLedgerTest {
  private static final Instant NOON = Sample.NOON;

  @TempDir private Path directory = Path.of("");

  /** The journal of the directory, as the last test left it. */
  House open(String more) {
    return House.open(directory, more);
  }

  final Path directory() {
    return directory;
  }

  static List<UsageRecord> some(int count) {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      records.add(Sample.record(NOON.minusMillis(count - i)));
    }
    return records;
  }

  @Test
  void claimsNothingWhileItIsIdle() {
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      LedgerReply.Opened opened = opening.opened();
      assertEquals(Totals.NONE, opened.totals());
      assertEquals("2026-03", opened.month().month());
      house.stop(opening.ledger());
      assertEquals(List.of(), house.fence.numbers("usage|acme"));
    }
  }

  @Test
  void findsAllAfterARestartInTheSameDirectory() {
    List<UsageRecord> records = some(60);
    StartedEntry open = Sample.start(NOON);
    try (House house = open("")) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      for (int i = 0; i < 60; i += 5) {
        assertInstanceOf(
            LedgerReply.Appended.class,
            house.append(ledger, records.subList(i, i + 5), i == 0 ? List.of(open) : List.of()));
      }
      assertEquals(60, house.totals(ledger).requests());
    }
    try (House house = open("")) {
      House.Opening again = house.ledger();
      LedgerReply.Opened opened = again.opened();
      assertEquals(new Totals(60, 0, 0, 0, 600, 300, 60 * 75), opened.totals());
      assertEquals(new MonthUse("2026-03", 60, 600, 300, 60 * 75), opened.month());
      assertEquals(60, opened.lastMinute().stream().mapToLong(SecondUse::requests).sum());
      assertEquals(900, opened.lastMinute().stream().mapToLong(SecondUse::tokens).sum());
      assertEquals(List.of(open), opened.openStarts());
      assertEquals(records, house.records(again.ledger()));
      house.append(again.ledger(), Sample.record(NOON));
      assertEquals(2, house.status(again.ledger()).segment());
      assertEquals(61, house.totals(again.ledger()).requests());
    }
  }

  @Test
  void writesABatchOnceHoweverOftenItIsSent() {
    try (House house = open("")) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      List<UsageRecord> batch = some(10);
      house.append(ledger, batch, List.of());
      List<UsageRecord> overlap = new ArrayList<>(batch.subList(5, 10));
      overlap.addAll(some(3));
      assertInstanceOf(LedgerReply.Appended.class, house.append(ledger, batch, List.of()));
      assertInstanceOf(LedgerReply.Appended.class, house.append(ledger, overlap, List.of()));
      assertEquals(13, house.totals(ledger).requests());
      assertEquals(13, house.records(ledger).size());
      assertEquals(3, house.status(ledger).sequence());
    }
  }

  @Test
  void aBatchThatIsSentAgainWithMoreInItIsWrittenWhole() {
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      opening.opened();
      TestProbe<LedgerReply.Append> parent = house.kit.createTestProbe(LedgerReply.Append.class);
      List<UsageRecord> all = some(6);
      // Until all three are there, the ledger cannot claim the segment for the first of them.
      CountDownLatch open = house.block();
      opening
          .ledger()
          .tell(new UsageLedger.Append(7, all.subList(0, 3), List.of(), parent.getRef()));
      opening.ledger().tell(new UsageLedger.Append(7, all, List.of(), parent.getRef()));
      opening.ledger().tell(new UsageLedger.Append(8, some(1), List.of(), parent.getRef()));
      parent.expectMessage(
          House.PATIENCE, new LedgerReply.AppendFailed(8, "another batch is written"));
      open.countDown();
      parent.expectMessage(House.PATIENCE, new LedgerReply.Appended(7));
      assertEquals(all, house.records(opening.ledger()));
    }
  }

  @Test
  void commitsAThousandRecordsAtOnce() {
    try (House house = open("")) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      assertInstanceOf(LedgerReply.Appended.class, house.append(ledger, some(1_000), List.of()));
      assertEquals(2, house.status(ledger).sequence());
      assertEquals(1_000, house.totals(ledger).requests());
    }
  }

  @Test
  void twoLiveIncarnationsLoseNothingAndCountNothingTwice() {
    try (House house = open("")) {
      House.Opening one = house.ledger();
      House.Opening two = house.ledger();
      one.opened();
      two.opened();
      Set<UsageRecord> all = new HashSet<>();
      for (int round = 0; round < 20; round++) {
        List<UsageRecord> shared = some(3);
        List<UsageRecord> first = new ArrayList<>(some(4));
        List<UsageRecord> second = new ArrayList<>(some(4));
        first.addAll(shared);
        second.addAll(shared);
        assertInstanceOf(LedgerReply.Appended.class, house.append(one.ledger(), first, List.of()));
        assertInstanceOf(LedgerReply.Appended.class, house.append(two.ledger(), second, List.of()));
        all.addAll(first);
        all.addAll(second);
      }
      assertEquals(20 * 11, all.size());
      House.Opening third = house.ledger();
      assertEquals(all.size(), third.opened().totals().requests());
      List<UsageRecord> read = house.records(third.ledger());
      assertEquals(all.size(), read.size());
      assertEquals(all, new HashSet<>(read));
    }
  }

  @Test
  void foldsInWhatAnOlderIncarnationWroteLate() {
    try (House house = open("rowhouse.usage.reconcile-every = 1ms")) {
      House.Opening old = house.ledger();
      house.append(old.ledger(), some(2), List.of());
      House.Opening fresh = house.ledger();
      assertEquals(2, fresh.opened().totals().requests());
      house.append(fresh.ledger(), some(2), List.of());
      house.append(old.ledger(), some(3), List.of());
      house.pass(Duration.ofSeconds(1));
      fresh
          .parent()
          .fishForMessage(
              House.PATIENCE,
              told ->
                  told instanceof LedgerReply.Opened read && read.totals().requests() == 7
                      ? FishingOutcomes.complete()
                      : FishingOutcomes.continueAndIgnore());
      assertEquals(7, house.totals(fresh.ledger()).requests());
      assertEquals(7, house.records(fresh.ledger()).size());
    }
    try (House house = open("")) {
      assertEquals(7, house.ledger().opened().totals().requests());
    }
  }

  @Test
  void foldsInALateWriteAtTheNextStart() {
    try (House house = open("")) {
      House.Opening old = house.ledger();
      house.append(old.ledger(), some(2), List.of());
      House.Opening fresh = house.ledger();
      fresh.opened();
      house.append(fresh.ledger(), some(2), List.of());
      house.stop(fresh.ledger());
      house.append(old.ledger(), some(3), List.of());
      assertEquals(7, house.ledger().opened().totals().requests());
    }
  }

  @Test
  void isRebuiltFromAllSegmentsWhenTheSnapshotsAreLost() {
    Totals before;
    try (House house = open("")) {
      for (int segment = 0; segment < 4; segment++) {
        House.Opening opening = house.ledger();
        opening.opened();
        for (int i = 0; i < 7; i++) {
          house.append(opening.ledger(), some(3), List.of());
        }
        house.stop(opening.ledger());
      }
      House.Opening last = house.ledger();
      before = last.opened().totals();
      house.loseSnapshots();
    }
    assertEquals(84, before.requests());
    try (House house = open("")) {
      House.Opening rebuilt = house.ledger();
      assertEquals(before, rebuilt.opened().totals());
      assertEquals(84, house.records(rebuilt.ledger()).size());
    }
  }

  @Test
  void isRebuiltWhenTheLastSnapshotCannotBeRead() {
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      opening.opened();
      for (int i = 0; i < 7; i++) {
        house.append(opening.ledger(), some(3), List.of());
      }
    }
    try (House house = open("")) {
      house.damageSnapshots();
      assertEquals(21, house.ledger().opened().totals().requests());
    }
  }

  @Test
  void anotherTimeZoneIsRebuiltExactly() {
    Instant edge = Instant.parse("2026-02-28T18:30:00Z");
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      opening.opened();
      house.append(opening.ledger(), Sample.record(edge), Sample.record(edge.minusSeconds(901)));
      house.stop(opening.ledger());
      assertEquals(0, house.ledger().opened().month().requests());
      assertEquals(1, house.ledger(ZoneId.of("Asia/Kathmandu")).opened().month().requests());
    }
  }

  @Test
  void aStartThatNobodySettlesBecomesUnknown() {
    StartedEntry start = Sample.start(NOON);
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      house.append(opening.ledger(), List.of(), List.of(start));
      assertEquals(1, house.status(opening.ledger()).openStarts());
    }
    try (House house = open("")) {
      house.pass(Duration.ofMinutes(21));
      House.Opening again = house.ledger();
      assertEquals(List.of(start), again.opened().openStarts());
      long until = System.nanoTime() + House.PATIENCE.toNanos();
      while (house.totals(again.ledger()).unknown() == 0) {
        assertTrue(System.nanoTime() < until, "still open after " + House.PATIENCE);
        Thread.onSpinWait();
      }
      assertEquals(List.of(UsageRecord.unknown(start)), house.records(again.ledger()));
      UsageRecord real = Sample.record(start.attempt(), NOON, 10, 5);
      house.append(again.ledger(), real);
      assertEquals(new Totals(1, 0, 0, 0, 10, 5, 75), house.totals(again.ledger()));
      assertEquals(List.of(real), house.records(again.ledger()));
    }
  }

  @Test
  void anAttemptOlderThanTheWindowIsLookedUp() {
    try (House house = open("")) {
      House.Opening opening = house.ledger();
      UsageRecord old = Sample.record(NOON);
      UsageRecord oldAndNew = Sample.record(NOON);
      house.append(opening.ledger(), old);
      house.append(opening.ledger(), Sample.record(NOON.plus(Duration.ofHours(5))));
      assertInstanceOf(LedgerReply.Appended.class, house.append(opening.ledger(), old, oldAndNew));
      house.stop(opening.ledger());
      House.Opening again = house.ledger();
      assertEquals(3, again.opened().totals().requests());
      assertEquals(3, house.records(again.ledger()).size());
      assertEquals(
          new LedgerReply.Found(old),
          house.<LedgerReply.Find>ask(
              again.ledger(), replyTo -> new UsageLedger.FindRecord(old.attempt(), replyTo)));
    }
  }
}
