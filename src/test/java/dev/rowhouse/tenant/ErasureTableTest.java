package dev.rowhouse.tenant;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterEach;

final class ErasureTableTest extends ErasureTableContract {
  private final Database database = KeysFixture.database();

  @Override
  Storage storage() {
    return database;
  }

  @AfterEach
  void close() {
    database.close();
  }
}
