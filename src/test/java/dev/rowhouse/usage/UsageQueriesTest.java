package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a ledger answers, on a real journal. */
final class UsageQueriesTest {
  private static final Instant NOON = Sample.NOON;

  @TempDir private Path directory = Path.of("");

  private static List<UsageRecord> some(int count) {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      records.add(Sample.record(NOON.minusMillis(count - i)));
    }
    return records;
  }

  @Test
  void pagesThroughEachRecordExactlyOnceAcrossSegments() {
    List<UsageRecord> written = new ArrayList<>();
    try (House house = House.open(directory)) {
      for (int segment = 0; segment < 3; segment++) {
        House.Opening opening = house.ledger();
        opening.opened();
        for (int i = 0; i < 3; i++) {
          List<UsageRecord> batch = some(7);
          house.append(opening.ledger(), batch, List.of());
          written.addAll(batch);
        }
        house.stop(opening.ledger());
      }
      House.Opening opening = house.ledger();
      opening.opened();
      for (int limit : List.of(1, 4, 7, 21, 62, 63, 1_000)) {
        List<UsageRecord> read = new ArrayList<>();
        LedgerReply.RecordsPage page = house.page(opening.ledger(), null, limit);
        while (true) {
          assertTrue(page.records().size() <= limit);
          page.records().forEach(row -> read.add(row.record()));
          if (!page.hasMore()) {
            break;
          }
          page = house.page(opening.ledger(), page.lastId(), limit);
        }
        assertEquals(written, read, "pages of " + limit);
      }
      LedgerReply.RecordsPage all = house.page(opening.ledger(), null, 1_000);
      assertEquals(List.of(), house.page(opening.ledger(), all.lastId(), 10).records());
    }
  }

  @Test
  void refusesQueriesThatMakeNoSense() {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      assertInstanceOf(
          LedgerReply.RecordsRefused.class,
          house.<LedgerReply.Records>ask(
              ledger, replyTo -> new UsageLedger.ReadRecords("nonsense", 5, replyTo)));
      assertInstanceOf(
          LedgerReply.RecordsRefused.class,
          house.<LedgerReply.Records>ask(
              ledger, replyTo -> new UsageLedger.ReadRecords(null, 1_001, replyTo)));
      assertInstanceOf(
          LedgerReply.UsageRefused.class, usage(house, ledger, NOON, NOON, Bucket.DAY));
      assertEquals(
          new LedgerReply.UsageRefused("from", "a query by minute covers at most 2 days"),
          usage(house, ledger, NOON, NOON.plus(Duration.ofDays(3)), Bucket.MINUTE));
      assertEquals(
          new LedgerReply.NoRecord(),
          house.<LedgerReply.Find>ask(
              ledger, replyTo -> new UsageLedger.FindRecord("nonsense", replyTo)));
    }
  }

  @Test
  void findsARecordOrSaysThatItIsOpen() {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      UsageRecord record = Sample.record(NOON);
      StartedEntry start = Sample.start(NOON);
      house.append(ledger, List.of(record), List.of(start));
      TestProbe<LedgerReply.Find> asker = house.kit.createTestProbe(LedgerReply.Find.class);
      ledger.tell(new UsageLedger.FindRecord(record.attempt(), asker.getRef()));
      asker.expectMessage(House.PATIENCE, new LedgerReply.Found(record));
      ledger.tell(new UsageLedger.FindRecord(start.attempt(), asker.getRef()));
      asker.expectMessage(House.PATIENCE, new LedgerReply.StillOpen(start));
      ledger.tell(new UsageLedger.FindRecord(Sample.attempt(NOON), asker.getRef()));
      asker.expectMessage(House.PATIENCE, new LedgerReply.NoRecord());
    }
  }

  @Test
  void showsNoRecordThatIsTooOldAndStillCountsIt() {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      UsageRecord old = Sample.record(NOON.minus(Duration.ofDays(400)).minusMillis(1));
      UsageRecord edge = Sample.record(NOON.minus(Duration.ofDays(400)));
      UsageRecord young = Sample.record(NOON);
      house.append(ledger, old, edge);
      house.append(ledger, young);
      assertEquals(List.of(edge, young), house.records(ledger));
      LedgerReply.RecordsPage first = house.page(ledger, null, 1);
      assertEquals(edge, first.records().getFirst().record());
      assertTrue(first.hasMore());
      assertEquals(new LedgerReply.Found(edge), find(house, ledger, edge));
      assertEquals(new LedgerReply.NoRecord(), find(house, ledger, old));
      assertEquals(3, house.totals(ledger).completed());

      house.pass(Duration.ofMillis(1));
      assertEquals(List.of(young), house.records(ledger));
      assertEquals(new LedgerReply.NoRecord(), find(house, ledger, edge));
    }
  }

  private static LedgerReply.Find find(
      House house, ActorRef<UsageLedger.Command> ledger, UsageRecord record) {
    return house.ask(ledger, replyTo -> new UsageLedger.FindRecord(record.attempt(), replyTo));
  }

  private static LedgerReply.Usage usage(
      House house, ActorRef<UsageLedger.Command> ledger, Instant from, Instant to, Bucket bucket) {
    return house.ask(
        ledger, replyTo -> new UsageLedger.GetUsage(from, to, bucket, GroupBy.MODEL, replyTo));
  }
}
