package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

final class TenantIndexTest extends TenantIndexContract {
  private final Database database;

  TenantIndexTest(@TempDir Path directory) {
    this(directory, TestConfig.database(directory));
  }

  private TenantIndexTest(Path directory, Database database) {
    super(directory, database, new TenantId("acme"));
    this.database = database;
  }

  @AfterEach
  void closeDatabase() {
    database.close();
  }
}
