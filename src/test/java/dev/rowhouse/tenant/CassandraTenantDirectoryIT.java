package dev.rowhouse.tenant;

import java.nio.file.Path;

/** Tenants' records, their projector and the directory on the real Cassandra. */
final class CassandraTenantDirectoryIT extends TenantDirectoryTest {
  @Override
  TenantJournal open(Path directory) {
    return TenantJournal.cassandra("directory");
  }
}
