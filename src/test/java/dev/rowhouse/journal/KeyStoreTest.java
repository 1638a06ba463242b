package dev.rowhouse.journal;

import com.typesafe.config.ConfigFactory;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;

final class KeyStoreTest extends KeyStoreContract {
  private final Database database =
      Database.open(
          ConfigFactory.parseString(
              """
              rowhouse.journal.jdbc {
                url = "jdbc:h2:mem:%s;DB_CLOSE_DELAY=-1"
                user = rowhouse, password = "", connections = 8, connection-timeout = 60s
              }
              """
                  .formatted(UUID.randomUUID())));

  @Override
  Storage storage() {
    return database;
  }

  @AfterEach
  void close() {
    database.close();
  }
}
