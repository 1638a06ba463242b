package dev.rowhouse.journal;

import org.junit.jupiter.api.AfterEach;

final class PostgresqlKeyStoreIT extends KeyStoreContract {
  private final Database database = PostgresqlProcess.open();

  @Override
  Storage storage() {
    return database;
  }

  @AfterEach
  void close() {
    database.close();
  }
}
