package dev.rowhouse.tenant;

import java.nio.file.Path;

/** Tenants' records, their projector and the directory on the real PostgreSQL. */
final class PostgresqlTenantDirectoryIT extends TenantDirectoryTest {
  @Override
  TenantJournal open(Path directory) {
    return TenantJournal.postgresql();
  }
}
