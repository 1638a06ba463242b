package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.rowhouse.journal.Storage;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the table of erasures does on every storage. */
abstract class ErasureTableContract {
  private static final TenantId ACME = new TenantId("acme");
  private static final TenantId GLOBEX = new TenantId("globex");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  abstract Storage storage();

  private static List<String> tenants(List<ErasureTable.Entry> entries) {
    return entries.stream().map(entry -> entry.tenant().value()).toList();
  }

  @Test
  void isUnfinishedUntilItsReportIsThere() {
    ErasureTable table = ErasureTable.open(storage());
    assertNull(table.find(ACME));
    table.counted(ACME, "{}");
    assertNull(table.find(ACME), "nobody asked");
    table.ask(GLOBEX, "r2", "operator", NOW.plusSeconds(1));
    table.ask(ACME, "r1", "operator", NOW);
    table.ask(ACME, "r9", "another", NOW.plusSeconds(9));
    assertEquals(List.of("acme", "globex"), tenants(table.unfinished(10)));
    assertEquals(List.of("acme"), tenants(table.unfinished(1)));
    ErasureTable.Entry entry = table.find(ACME);
    assertNotNull(entry);
    assertEquals(new ErasureTable.Entry(ACME, "r1", "operator", NOW, null, null), entry);

    table.counted(ACME, "{\"a\":1}");
    table.counted(ACME, "{\"a\":0}");
    table.withdraw(ACME, "r1");
    table.done(ACME, "{\"done\":1}", NOW);
    table.done(ACME, "{\"done\":2}", NOW);
    assertEquals(
        new ErasureTable.Entry(ACME, "r1", "operator", NOW, "{\"a\":1}", "{\"done\":1}"),
        table.find(ACME));
    table.ask(ACME, "r3", "operator", NOW);
    assertEquals(List.of("globex"), tenants(table.unfinished(10)));
    table.withdraw(GLOBEX, "other");
    assertNotNull(table.find(GLOBEX));
    table.withdraw(GLOBEX, "r2");
    assertNull(table.find(GLOBEX));
    assertEquals(List.of(), table.unfinished(10));
  }
}
