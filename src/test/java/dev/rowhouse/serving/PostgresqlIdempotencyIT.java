package dev.rowhouse.serving;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.PostgresqlProcess;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterEach;

final class PostgresqlIdempotencyIT extends IdempotencyTableContract {
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
