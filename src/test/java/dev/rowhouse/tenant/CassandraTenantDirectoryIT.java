package dev.rowhouse.tenant;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Storage;

/** Tenants' records, their projector and the directory on the real Cassandra. */
final class CassandraTenantDirectoryIT extends TenantDirectoryTest {
  private final String keyspace = CassandraProcess.freshName("directory");

  @Override
  Config config() {
    return ConfigFactory.parseResources("serialization.conf")
        .withFallback(CassandraProcess.config(keyspace))
        .resolve();
  }

  @Override
  Storage open(Config config) {
    return CassandraProcess.open(config, "events", "journal", "tenant");
  }

  @Override
  String readJournal() {
    return "pekko.persistence.cassandra.query";
  }
}
