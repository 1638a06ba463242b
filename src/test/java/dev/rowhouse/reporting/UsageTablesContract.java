package dev.rowhouse.reporting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.reporting.Drawer.Table;
import dev.rowhouse.reporting.Reconciliation.Kind;
import dev.rowhouse.reporting.UsageQuestion.Split;
import dev.rowhouse.reporting.UsageQuestion.Width;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerChain;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import dev.rowhouse.usage.UsageTag;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From real ledgers in a real journal to what a query says. */
abstract class UsageTablesContract {
  private static final TenantId ACME = Office.ACME;
  private static final TenantId GLOBEX = new TenantId("globex");
  private static final Instant NOON = Office.NOON;

  private Office office;

  abstract Office openOffice(Path directory);

  @BeforeEach
  void open(@TempDir Path directory) {
    office = openOffice(directory);
  }

  @AfterEach
  void close() {
    office.close();
  }

  @Test
  void whatLedgersWriteIsAddedUpByHourModelKeyAndTenant() {
    office.project();
    ActorRef<UsageLedger.Command> acme = office.ledger(ACME);
    office.append(
        acme,
        office.record(NOON, "small", "k1", 10, 1),
        office.record(NOON.plusSeconds(1), "small", "k2", 20, 2),
        office.record(NOON.plusSeconds(3_600), "large", "k1", 30, 3));
    office.append(office.ledger(GLOBEX), office.record(NOON, "small", "k1", 100, 10));
    await(ACME, 3);
    await(GLOBEX, 1);

    List<UsageReports.Row> hours =
        office.ask(Office.question("acme", Width.HOUR, Split.NOTHING)).rows();
    assertEquals(List.of(NOON, NOON.plusSeconds(3_600)), starts(hours));
    assertEquals(List.of(30L, 30L), hours.stream().map(it -> it.sums().inputTokens()).toList());

    List<UsageReports.Row> keys = office.ask(Office.question(null, Width.MONTH, Split.KEY)).rows();
    assertEquals(
        List.of("acme/k1", "acme/k2", "globex/k1"),
        keys.stream().map(it -> it.first() + "/" + it.second()).toList());
    assertEquals(
        List.of(40L, 20L, 100L), keys.stream().map(it -> it.sums().inputTokens()).toList());
    assertEquals(Instant.parse("2026-03-01T00:00:00Z"), keys.getFirst().start());

    UsageReports.Answer models = office.ask(Office.question(null, Width.DAY, Split.ANSWERED_BY));
    assertEquals(
        List.of("large-2026", "small-2026"),
        models.rows().stream().map(UsageReports.Row::first).toList());
    assertEquals(160, models.total() == null ? 0 : models.total().inputTokens());
    assertEquals(0, models.doubts());
  }

  @Test
  void pagesFollowEachOtherWithoutGapOrRepetition() {
    office.project();
    List<UsageRecord> records = new ArrayList<>();
    for (int hour = 0; hour < 60; hour++) {
      for (String model : List.of("a|b", "c", "d")) {
        records.add(office.record(NOON.minus(Duration.ofHours(hour)), model, "k", 1, 1));
      }
    }
    office.append(office.ledger(ACME), records.toArray(UsageRecord[]::new));
    await(ACME, 180);
    for (Width width : Width.values()) {
      UsageQuestion all = Office.question("acme", width, Split.MODEL);
      List<UsageReports.Row> whole = office.ask(all).rows();
      List<UsageReports.Row> paged = new ArrayList<>();
      UsageReports.Answer page = office.ask(with(all, null));
      while (true) {
        paged.addAll(page.rows());
        if (!page.hasMore()) {
          break;
        }
        page = office.ask(with(all, page.rows().getLast().id()));
      }
      assertEquals(whole, paged, width.name());
      assertEquals(180, paged.stream().mapToLong(it -> it.sums().requests()).sum());
    }
  }

  private static UsageQuestion with(
      UsageQuestion question, @org.jspecify.annotations.Nullable String after) {
    return new UsageQuestion(
        question.tenant(),
        null,
        null,
        null,
        question.from(),
        question.to(),
        question.bucket(),
        question.groupBy(),
        after == null ? null : UsageQuestion.Cursor.parse(after),
        2);
  }

  @Test
  void anAttemptInTwoSegmentsIsInDoubtUntilTheLedgerWasReadWholeAndThenCountsOnce() {
    office.project();
    ActorRef<UsageLedger.Command> older = office.ledgerElsewhere(ACME);
    office.append(older, office.record(NOON, "small", "k1", 10, 1));
    await(ACME, 1);
    ActorRef<UsageLedger.Command> newer = office.ledger(ACME);
    UsageRecord both = office.record(NOON.plusSeconds(5), "small", "k1", 100, 10);
    office.append(newer, both);
    await(ACME, 2);
    assertEquals(0, office.drawer.doubts());
    office.append(older, both);
    await(ACME, 3);
    office.await(
        "the doubt",
        () -> office.ask(Office.question("acme", Width.DAY, Split.NOTHING)).doubts() == 1);

    Reconciliation.Outcome outcome = office.check(ACME);
    assertEquals(List.of(Kind.TOTAL), kinds(outcome));
    assertTrue(outcome.repaired());
    assertFalse(outcome.isAlarming(), "it was announced");
    assertEquals(2, office.usage(ACME).requests());
    assertEquals(110, office.usage(ACME).inputTokens());
    assertEquals(0, office.ask(Office.question("acme", Width.DAY, Split.NOTHING)).doubts());
    assertEquals(List.of(), kinds(office.check(ACME)));
  }

  @Test
  void anAttemptThatWasGivenUpAndSettledAfterAllCountsOnce() {
    office.project();
    ActorRef<UsageLedger.Command> ledger = office.ledger(ACME);
    String attempt = AttemptId.mint(NOON, new Random(3));
    office.append(ledger, Office.record(attempt, NOON, "small", "k1", 0, 0, true));
    await(ACME, 1);
    assertEquals(1, office.usage(ACME).unknown());
    office.append(ledger, Office.record(attempt, NOON, "small", "k1", 7, 7, false));
    await(ACME, 2);
    office.await("the doubt", () -> office.drawer.doubts() == 1);
    office.check(ACME);
    assertEquals(new Sums(1, 0, 0, 0, 7, 7, 84), office.usage(ACME));
  }

  @Test
  void aRowThatWasChangedIsFoundAlarmedAndRebuilt() {
    office.project();
    ActorRef<UsageLedger.Command> ledger = office.ledger(ACME);
    office.append(ledger, office.record(NOON, "small", "k1", 10, 1));
    office.append(ledger, office.record(NOON, "small", "k1", 20, 2));
    office.append(office.ledger(GLOBEX), office.record(NOON, "small", "k1", 5, 5));
    await(ACME, 2);
    await(GLOBEX, 1);
    assertEquals(List.of(), kinds(office.check(ACME)));
    office.drawer.makeDearer("acme", 1);
    Reconciliation.Outcome seen = Office.get(office.reporting.reconciliation().check(ACME, false));
    assertEquals(List.of(Kind.SEGMENT), kinds(seen));
    assertFalse(seen.repaired());
    Reconciliation.Difference difference = seen.differences().getFirst();
    assertEquals("usage|acme|1", difference.persistenceId());
    assertEquals(difference.expected().costMicros() + 2, difference.found().costMicros());
    assertTrue(office.check(ACME).isAlarming());
    assertEquals(2, office.reporting.counts().alarms());
    assertEquals(List.of(ACME, ACME), office.alarms.stream().map(it -> it.tenant()).toList());
    assertEquals(List.of(), kinds(office.check(ACME)));
    assertEquals(new Sums(2, 0, 0, 0, 30, 3, 117), office.usage(ACME));
    assertEquals(List.of(), kinds(office.check(GLOBEX)));
    // What comes after a rebuild is added to it.
    office.append(ledger, office.record(NOON, "small", "k1", 1, 1));
    await(ACME, 3);
    assertEquals(List.of(), kinds(office.check(ACME)));
  }

  @Test
  void eventsFromBeforeThereWereTagsAreFilledInByPersistenceId() {
    office.append(office.ledger(ACME), office.record(NOON, "small", "k1", 10, 1));
    office.drawer.loseTags();
    Reconciliation.Outcome outcome = office.check(ACME);
    assertEquals(List.of(Kind.MISSING), kinds(outcome));
    assertFalse(outcome.isAlarming());
    assertEquals(10, office.usage(ACME).inputTokens());
    assertEquals(List.of(ACME), Office.get(office.reporting.reconciliation().tenants(null, 10)));
    assertEquals(List.of(), Office.get(office.reporting.reconciliation().tenants("acme", 10)));
  }

  @Test
  void aDamagedRowPutsItsTenantInDoubtAndHoldsUpNobodyElse() {
    TenantId neighbour =
        IntStream.range(0, 100)
            .mapToObj(i -> new TenantId("neighbour-" + i))
            .filter(it -> UsageTag.of(it).equals(UsageTag.of(ACME)))
            .findFirst()
            .orElseThrow();
    ActorRef<UsageLedger.Command> acme = office.ledger(ACME);
    office.append(acme, office.record(NOON, "small", "k1", 10, 1));
    office.append(acme, office.record(NOON, "small", "k1", 20, 2));
    office.append(office.ledger(neighbour), office.record(NOON, "small", "k1", 5, 5));
    office.await("all have their tags", () -> office.drawer.tagged() == 5);
    office.drawer.damage("usage|acme|1", 3);
    office.project();
    await(neighbour, 1);
    await(ACME, 1);
    office.await("the doubt", () -> office.drawer.doubts() == 1);
    CompletionException failure = assertThrows(CompletionException.class, () -> office.check(ACME));
    assertTrue(
        String.valueOf(failure.getMessage()).contains("sequence number 3"), failure::toString);
    assertEquals(List.of(), kinds(office.check(neighbour)));

    // A tenant in doubt whose ledger can be read does not wait for the other.
    String attempt = AttemptId.mint(NOON, new Random(3));
    ActorRef<UsageLedger.Command> next = office.ledger(GLOBEX);
    office.append(next, Office.record(attempt, NOON, "small", "k1", 0, 0, true));
    await(GLOBEX, 1);
    office.append(next, Office.record(attempt, NOON, "small", "k1", 7, 7, false));
    office.await("two doubts", () -> office.drawer.doubts() == 2);
    office.reconcile();
    office.await("one doubt", () -> office.drawer.doubts() == 1);
    assertEquals(new Sums(1, 0, 0, 0, 7, 7, 84), office.usage(GLOBEX));
  }

  @Test
  void foldedRowsAreHoursAndEverythingStillAgrees() {
    office.project();
    ActorRef<UsageLedger.Command> ledger = office.ledger(ACME);
    for (int i = 0; i < 10; i++) {
      office.append(ledger, office.record(NOON.plusSeconds(900L * i), "small", "k1", i, 1));
    }
    await(ACME, 10);
    UsageQuestion question = Office.question("acme", Width.HOUR, Split.KEY);
    List<UsageReports.Row> before = office.ask(question).rows();
    long beforeHour = NOON.plusSeconds(7_200).toEpochMilli() / Group.HOUR_MILLIS;
    office.fold(beforeHour);
    assertEquals(2, office.drawer.count(Table.HOURS));
    assertEquals(2, office.drawer.count(Table.ROWS));
    assertEquals(before, office.ask(question).rows());
    assertEquals(List.of(), kinds(office.check(ACME)));
    office.fold(beforeHour + 1);
    assertEquals(3, office.drawer.count(Table.HOURS));
    assertEquals(before, office.ask(question).rows());
    assertEquals(List.of(), kinds(office.check(ACME)));
    office.drawer.takeInput(Table.HOURS);
    assertEquals(List.of(office.drawer.alteredHours()), kinds(office.check(ACME)));
    assertEquals(before, office.ask(question).rows());
  }

  @Test
  void aTailThatWasCutFromALedgerIsFoundByItsAnchor() {
    office.project();
    ActorRef<UsageLedger.Command> ledger = office.ledger(ACME);
    for (int i = 0; i < 3; i++) {
      office.append(ledger, office.record(NOON, "small", "k1", i, 1));
    }
    await(ACME, 3);
    assertEquals(1, office.anchor());
    assertTrue(
        office.anchors.getOrDefault("usage|acme|1", "").startsWith("4 "),
        "the fourth event is the last");
    assertEquals(List.of(), office.faults(ACME));
    office.drawer.cut("usage|acme|1", 4);
    LedgerChain.Fault fault = office.faults(ACME).getFirst();
    assertEquals(LedgerChain.Kind.CUT, fault.kind());
    assertEquals(4, fault.sequence());
    office.anchors.clear();
    assertEquals(List.of(), office.faults(ACME), "without the anchor nobody can know");
    assertEquals(0, office.anchor(), "what was told is not told again");
  }

  private void await(TenantId tenant, long requests) {
    office.await(
        requests + " requests of " + tenant, () -> office.usage(tenant).requests() == requests);
  }

  private static List<Kind> kinds(Reconciliation.Outcome outcome) {
    return outcome.differences().stream().map(Reconciliation.Difference::kind).toList();
  }

  private static List<Instant> starts(List<UsageReports.Row> rows) {
    return rows.stream().map(UsageReports.Row::start).toList();
  }
}
