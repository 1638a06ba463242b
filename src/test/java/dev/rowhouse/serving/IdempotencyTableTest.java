package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IdempotencyTableTest extends IdempotencyTableContract {
  private final Database database = KeysFixture.database();

  @Override
  Storage storage() {
    return database;
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void whatIsOverIsSweptInBoundedSteps() {
    IdempotencyTable table = IdempotencyTable.open(database);
    for (int i = 0; i < 5; i++) {
      assertNull(
          table.claim(
              new IdempotencyTable.Key(new TenantId("acme"), "k" + i, "r"),
              "a" + i,
              "node-1",
              0,
              i < 3 ? 10 : 1_000,
              _ -> true));
    }
    assertEquals(2, table.sweep(100, 2));
    assertEquals(1, table.sweep(100, 2));
    assertEquals(0, table.sweep(100, 2));
  }
}
