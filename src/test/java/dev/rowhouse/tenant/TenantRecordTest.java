package dev.rowhouse.tenant;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class TenantRecordTest extends TenantRecordContract {
  TenantRecordTest(@TempDir Path directory) {
    super(TenantJournal.sql(directory));
  }
}
