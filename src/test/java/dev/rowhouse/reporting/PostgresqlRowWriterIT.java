package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.PostgresqlProcess;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PostgresqlRowWriterIT extends RowWriterContract {
  private final Database database = PostgresqlProcess.open();

  PostgresqlRowWriterIT() {
    JournalSchema.create(database);
  }

  @Override
  Storage storage() {
    return database;
  }

  @AfterAll
  void close() {
    database.close();
  }
}
