package dev.rowhouse.reporting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.reporting.Drawer.Table;
import dev.rowhouse.reporting.UsageQuestion.Split;
import dev.rowhouse.reporting.UsageQuestion.Width;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The query tables of a tenant that was offboarded. */
abstract class UsageErasureContract {
  private static final TenantId ACME = Office.ACME;
  private static final TenantId GLOBEX = new TenantId("globex");
  private static final Instant NOON = Office.NOON;
  private static final long HOUR = NOON.toEpochMilli() / Group.HOUR_MILLIS;

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
  void keysGoFromRowsHoursAndCorrectionsAndEverySumStays() {
    office.project();
    ActorRef<UsageLedger.Command> older = office.ledgerElsewhere(ACME);
    office.append(
        older,
        office.record(NOON, "small", "k1", 10, 1),
        office.record(NOON, "small", "k2", 20, 2),
        office.record(NOON, "large", "k2", 5, 5));
    office.append(office.ledger(GLOBEX), office.record(NOON, "small", "k9", 7, 7));
    await(ACME, 3);
    await(GLOBEX, 1);
    // The same attempt in two segments: a correction takes one off.
    ActorRef<UsageLedger.Command> newer = office.ledger(ACME);
    UsageRecord both = office.record(NOON.plusSeconds(5), "small", "k3", 100, 10);
    office.append(newer, both);
    await(ACME, 4);
    office.append(older, both);
    await(ACME, 5);
    office.check(ACME);
    assertEquals(1, keys(Table.CORRECTIONS));
    // And rows that are no hours yet.
    office.append(
        newer,
        office.record(NOON.plusSeconds(6), "small", "k1", 1, 1),
        office.record(NOON.plusSeconds(7), "small", "k4", 2, 2),
        Office.record(AttemptId.mint(NOON, new Random(3)), NOON, "small", "k4", 0, 0, true));
    await(ACME, 7);
    List<UsageReports.Row> models =
        office.ask(Office.question("acme", Width.HOUR, Split.MODEL)).rows();
    assertEquals(3, keys(Table.HOURS));
    assertEquals(2, keys(Table.ROWS));

    assertEquals(Map.of("usage_key_ids", 4L, "usage_attempt_ids", 1L), count());
    for (int time = 1; time <= 2; time++) {
      erase();
      assertEquals(Map.of("usage_key_ids", 0L, "usage_attempt_ids", 0L), count());
      assertEquals(
          List.of("acme/erased"),
          office.ask(Office.question("acme", Width.MONTH, Split.KEY)).rows().stream()
              .map(it -> it.first() + "/" + it.second())
              .toList());
      assertEquals(models, office.ask(Office.question("acme", Width.HOUR, Split.MODEL)).rows());
      assertEquals(List.of(), office.check(ACME).differences());
    }
    assertEquals(
        List.of("globex/k9"),
        office.ask(Office.question("globex", Width.MONTH, Split.KEY)).rows().stream()
            .map(it -> it.first() + "/" + it.second())
            .toList());
    assertEquals(List.of(), office.alarms);
  }

  @Test
  void whatComesLateOrIsRebuiltOrFoldedHasNoKeysEither() {
    office.project();
    ActorRef<UsageLedger.Command> ledger = office.ledger(ACME);
    office.append(ledger, office.record(NOON, "small", "k1", 10, 1));
    await(ACME, 1);
    erase();
    office.append(
        ledger,
        office.record(NOON, "small", "k1", 20, 2),
        office.record(NOON, "small", "k2", 30, 3));
    await(ACME, 3);
    assertEquals(0, count().get("usage_key_ids"));

    office.drawer.takeInput(Table.ROWS);
    assertTrue(office.check(ACME).repaired());
    assertEquals(0, count().get("usage_key_ids"));
    assertEquals(1, office.drawer.count(Table.HOURS));
    assertEquals(new Sums(3, 0, 0, 0, 60, 6, 234), office.usage(ACME));

    // As if a row had been written while nothing of the tenant could be locked yet.
    office.append(ledger, office.record(NOON, "small", "k3", 1, 1));
    await(ACME, 4);
    office.drawer.giveKey("k3");
    assertEquals(1, count().get("usage_key_ids"));
    office.fold(HOUR + 1);
    assertEquals(0, count().get("usage_key_ids"));
    assertEquals(1, office.drawer.count(Table.HOURS));
    assertEquals(List.of(), office.check(ACME).differences());
    assertEquals(4, office.usage(ACME).requests());
  }

  private Map<String, Long> count() {
    return Office.get(office.reporting.erasure().count(ACME));
  }

  private void erase() {
    Office.get(office.reporting.erasure().erase(ACME).thenApply(_ -> true));
  }

  private long keys(Table table) {
    return office.drawer.keys(table, "acme");
  }

  private void await(TenantId tenant, long requests) {
    office.await(
        requests + " requests of " + tenant, () -> office.usage(tenant).requests() == requests);
  }
}
