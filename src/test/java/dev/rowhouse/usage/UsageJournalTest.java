package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The journal as replays read it, on a real one. */
final class UsageJournalTest {
  private static final Instant NOON = Sample.NOON;

  @TempDir private Path directory = Path.of("");

  /** Adds up what counts. */
  private static final class Sum implements UsageJournal.Tally {
    Totals totals = Totals.NONE;

    @Override
    public void counted(UsageRecord record) {
      totals = totals.plus(record);
    }

    @Override
    public void taken(UsageRecord record) {
      totals = totals.minus(record);
    }
  }

  private static UsageJournal journal(House house) {
    return new UsageJournal(house.kit.system(), house.fence, house.settings, 1_000);
  }

  private static Survey survey(House house, TimeRange range, Sum sum) throws Exception {
    return journal(house)
        .survey(House.ACME, range, null, sum)
        .runWith(Sink.head(), house.kit.system())
        .toCompletableFuture()
        .get(30, TimeUnit.SECONDS);
  }

  private static List<Located> records(House house, Survey survey) throws Exception {
    return journal(house)
        .records(survey)
        .mapConcat(some -> some)
        .runWith(Sink.seq(), house.kit.system())
        .toCompletableFuture()
        .get(30, TimeUnit.SECONDS);
  }

  /** So many rows of two records, written by ledgers of which each opens a segment. */
  private static List<UsageRecord> write(House house, int segments, int rows) {
    List<UsageRecord> all = new ArrayList<>();
    for (int segment = 0; segment < segments; segment++) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      for (int row = 0; row < rows; row++) {
        UsageRecord[] two = {
          Sample.record(NOON.plusSeconds(all.size())),
          Sample.record(NOON.plusSeconds(all.size() + 1))
        };
        house.append(ledger, two);
        all.addAll(List.of(two));
      }
      house.stop(ledger);
    }
    return all;
  }

  @Test
  void addsUpWhatTheLedgerHas() throws Exception {
    try (House house = House.open(directory)) {
      List<UsageRecord> written = write(house, 3, 4);
      Sum sum = new Sum();
      Survey survey = survey(house, TimeRange.ALL, sum);
      assertEquals(house.totals(house.ledger().ledger()), sum.totals);
      assertEquals(24, survey.records());
      assertTrue(survey.isWhole());
      assertEquals(
          written, records(house, survey).stream().map(Located::record).toList(), "in order");
      assertEquals(
          List.of(House.ACME),
          journal(house).tenants(null, 10).toCompletableFuture().get(30, TimeUnit.SECONDS));
      assertEquals(
          1L, journal(house).countTenants().toCompletableFuture().get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void knowsWhoWasEverThere() throws Exception {
    try (House house = House.open(directory)) {
      write(house, 1, 1);
      UsageJournal journal = journal(house);
      assertTrue(journal.isKnown(House.ACME).toCompletableFuture().get(30, TimeUnit.SECONDS));
      assertFalse(
          journal.isKnown(new TenantId("nobody")).toCompletableFuture().get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void takesTheTimesAtTheirWord() throws Exception {
    try (House house = House.open(directory)) {
      List<UsageRecord> written = write(house, 1, 5);
      Sum sum = new Sum();
      TimeRange range = new TimeRange(NOON.plusSeconds(2), NOON.plusSeconds(4));
      Survey survey = survey(house, range, sum);
      long expected =
          written.stream().filter(record -> range.contains(record.timeMillis())).count();
      assertEquals(expected, survey.records());
      assertEquals(expected, sum.totals.requests());
      assertEquals(expected, records(house, survey).size());
    }
  }

  @Test
  void countsAnAttemptOnceWhereTheJournalHasItTwice() throws Exception {
    try (House house = House.open(directory)) {
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      StartedEntry start = Sample.start(NOON);
      house.append(ledger, List.of(), List.of(start));
      house.pass(Duration.ofHours(2));
      // A start that nobody settled becomes unknown, and then its record comes after all.
      house.append(ledger, Sample.record(NOON.plusSeconds(1)));
      UsageRecord late = Sample.record(start.attempt(), NOON, 70, 30);
      house.append(ledger, late);
      Totals totals = house.totals(ledger);
      house.stop(ledger);
      Sum sum = new Sum();
      Survey survey = survey(house, TimeRange.ALL, sum);
      assertEquals(totals, sum.totals);
      assertEquals(totals.requests(), survey.records());
      assertEquals(0, sum.totals.unknown());
      assertEquals(
          totals.requests(),
          records(house, survey).size(),
          "the records are those that the totals are made of");
    }
  }

  @Test
  void namesACorruptRowAndReadsOn() throws Exception {
    try (House house = House.open(directory)) {
      write(house, 2, 6);
      corrupt(house, "usage|acme|1", 3);
      corrupt(house, "usage|acme|2", 4);
      Sum sum = new Sum();
      Survey survey = survey(house, TimeRange.ALL, sum);
      assertEquals(20, survey.records(), "all but the four records of two rows");
      assertEquals(20, sum.totals.requests());
      assertEquals(20, records(house, survey).size());
      assertEquals(2, survey.faults().size(), survey.faults().toString());
      RowFault first = survey.faults().getFirst();
      assertEquals(House.ACME, first.tenant());
      assertEquals(1, first.segment());
      assertEquals(3, first.sequence());
      assertTrue(first.reason().contains("cannot be read"), first.reason());
      assertEquals(4, survey.faults().getLast().sequence());
    }
  }

  @Test
  void namesARowThatIsMissing() throws Exception {
    try (House house = House.open(directory)) {
      write(house, 1, 6);
      house.sql(
          "delete from \"event_journal\" where \"persistence_id\" = 'usage|acme|1' and"
              + " \"sequence_number\" = 4");
      Sum sum = new Sum();
      Survey survey = survey(house, TimeRange.ALL, sum);
      assertEquals(10, survey.records());
      assertEquals(List.of(4L), survey.faults().stream().map(RowFault::sequence).toList());
    }
  }

  @Test
  void missesTheRowsThatALedgerHadRead() throws Exception {
    try (House house = House.open(directory)) {
      write(house, 1, 3);
      Survey survey =
          journal(house)
              .survey(House.ACME, TimeRange.ALL, Map.of(1L, 6L), new Sum())
              .runWith(Sink.head(), house.kit.system())
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS);
      assertEquals(List.of(5L), survey.faults().stream().map(RowFault::sequence).toList());
    }
  }

  @Test
  void aLedgerSaysWhatItsTotalsAreMadeOf() throws Exception {
    try (House house = House.open(directory)) {
      write(house, 2, 3);
      ActorRef<UsageLedger.Command> ledger = house.ledger().ledger();
      LedgerReply.Cut cut = house.ask(ledger, replyTo -> new UsageLedger.GetCut(null, replyTo));
      LedgerReply.CutNow now = (LedgerReply.CutNow) cut;
      assertEquals(Map.of(1L, 4L, 2L, 4L), now.read());
      assertTrue(now.settled());
      house.append(ledger, Sample.record(NOON.plusSeconds(100)));
      Sum sum = new Sum();
      journal(house)
          .survey(House.ACME, TimeRange.ALL, now.read(), sum)
          .runWith(Sink.head(), house.kit.system())
          .toCompletableFuture()
          .get(30, TimeUnit.SECONDS);
      assertEquals(now.totals(), sum.totals, "what was written since is not in it");
      assertEquals(
          house.totals(ledger),
          journal(house)
              .recovered(House.ACME, null)
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS)
              .totals());
    }
  }

  @Test
  void onlyWholeBucketsCanBeCompared() {
    Instant midnight = Instant.parse("2026-03-10T00:00:00Z");
    assertBuckets(Bucket.DAY, midnight.minus(Duration.ofDays(100)), midnight);
    assertBuckets(Bucket.HOUR, midnight.minus(Duration.ofHours(7)), midnight);
    assertBuckets(Bucket.MINUTE, midnight.minus(Duration.ofMinutes(7)), midnight);
    assertNull(UsageJournal.bucketsOf(new TimeRange(midnight.minusMillis(60_001), midnight), NOON));
    assertNull(
        UsageJournal.bucketsOf(
            new TimeRange(midnight.minus(Duration.ofMinutes(60 * 72 + 1)), midnight), NOON),
        "minutes are kept for two days");
    assertNull(UsageJournal.bucketsOf(TimeRange.ALL, NOON));
  }

  private static void assertBuckets(Bucket bucket, Instant from, Instant to) {
    UsageLedger.Buckets buckets = UsageJournal.bucketsOf(new TimeRange(from, to), NOON);
    assertEquals(new UsageLedger.Buckets(bucket, from, to), buckets);
  }

  private static void corrupt(House house, String persistenceId, long sequence) {
    house.sql(
        "update \"event_journal\" set \"event_payload\" = X'00ff' where \"persistence_id\" = '"
            + persistenceId
            + "' and \"sequence_number\" = "
            + sequence);
  }
}
