package dev.rowhouse.reporting;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RowWriterTest extends RowWriterContract {
  private final Database database =
      Database.open(
          ConfigFactory.parseString(
              "rowhouse.journal.jdbc { url = \"jdbc:h2:mem:rows\", user = sa, password = \"\","
                  + " connections = 2, connection-timeout = 20s }"));

  RowWriterTest() {
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
