package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.PostgresqlProcess;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

final class PostgresqlTenantIndexIT extends TenantIndexContract {
  PostgresqlTenantIndexIT(@TempDir Path directory) {
    super(directory, documents(), new TenantId("acme"));
  }

  private static Storage documents() {
    Database database = PostgresqlProcess.open();
    DocumentStore.createSchema(database);
    return database;
  }

  @AfterEach
  void closeStorage() {
    storage.close();
  }
}
