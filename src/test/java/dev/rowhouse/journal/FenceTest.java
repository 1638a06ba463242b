package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FenceTest extends FenceContract {
  @TempDir private Path directory = Path.of("");
  private Database database = Database.open(memory());

  private static Config memory() {
    return at("jdbc:h2:mem:");
  }

  private static Config at(String url) {
    return ConfigFactory.parseString(
        """
        rowhouse.journal.jdbc {
          url = "%s", user = rowhouse, password = "", connections = 4, connection-timeout = 60s
        }
        """
            .formatted(url));
  }

  @BeforeEach
  void open() {
    database.close();
    database =
        Database.open(
            at(
                "jdbc:h2:file:"
                    + directory.resolve("journal")
                    + ";WRITE_DELAY=0;LOCK_TIMEOUT=60000"));
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Storage storage() {
    return database;
  }

  @Test
  void makesTheTablesOfTheJournalAsOftenAsItIsAsked() throws SQLException {
    JournalSchema.create(database);
    JournalSchema.create(database);
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      for (String table : List.of("event_journal", "event_tag", "snapshot")) {
        statement.execute("select count(*) from \"" + table + "\"");
      }
    }
  }

  @Test
  void saysWhatFailed() {
    Database closed = Database.open(memory());
    Fence lost = Fence.open(closed, InstantSource.fixed(NOW));
    closed.close();
    JournalException problem =
        assertThrows(JournalException.class, () -> lost.claim("usage|acme", "node-1"));
    assertEquals("cannot claim a number of usage|acme", problem.getMessage());
  }
}
