package dev.rowhouse.tenant;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.PostgresqlProcess;

/** Tenants' records, their projector and the directory on the real PostgreSQL. */
final class PostgresqlTenantDirectoryIT extends TenantDirectoryTest {
  private final Config postgresql = PostgresqlProcess.config();

  @Override
  Config config() {
    return ConfigFactory.parseResources("serialization.conf").withFallback(postgresql).resolve();
  }
}
