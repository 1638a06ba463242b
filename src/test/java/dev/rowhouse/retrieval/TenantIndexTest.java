package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

final class TenantIndexTest extends TenantIndexContract {
  TenantIndexTest(@TempDir Path directory) {
    super(directory, TestConfig.database(directory), new TenantId("acme"));
  }

  @AfterEach
  void closeStorage() {
    storage.close();
  }
}
