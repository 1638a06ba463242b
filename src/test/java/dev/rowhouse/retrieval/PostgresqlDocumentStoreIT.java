package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.PostgresqlProcess;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import org.junit.jupiter.api.AfterEach;

final class PostgresqlDocumentStoreIT extends DocumentStoreContract {
  private final Config config = PostgresqlProcess.config();
  private final Database database = Database.open(config);

  PostgresqlDocumentStoreIT() {
    DocumentStore.createSchema(database);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Storage storage() {
    return database;
  }

  @Override
  Storage opened() {
    database.close();
    return Database.open(config);
  }

  @Override
  TenantId tenant(String name) {
    return new TenantId(name);
  }
}
