package dev.rowhouse.tenant;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.PostgresqlProcess;
import dev.rowhouse.journal.Storage;
import java.nio.file.Path;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;

/**
 * A real journal for tenants' records, and what is beside it.
 *
 * @param config of an actor system on it
 * @param readJournal the plugin that reads it
 */
record TenantJournal(Config config, Storage storage, String readJournal) implements AutoCloseable {
  /** On an H2 file in that directory. */
  static TenantJournal sql(Path directory) {
    Config config = sqlConfig(directory);
    Database database = Database.open(config);
    JournalSchema.create(database);
    return new TenantJournal(config, database, JdbcReadJournal.Identifier());
  }

  /** In a keyspace of its own on the real Cassandra. */
  static TenantJournal cassandra(String name) {
    Config config =
        ConfigFactory.parseResources("serialization.conf")
            .withFallback(CassandraProcess.config(CassandraProcess.freshName(name)))
            .resolve();
    return new TenantJournal(
        config,
        CassandraProcess.open(config, "events", "journal", "tenant"),
        "pekko.persistence.cassandra.query");
  }

  /** In a database of its own on the real PostgreSQL. */
  static TenantJournal postgresql() {
    Config config =
        ConfigFactory.parseResources("serialization.conf")
            .withFallback(PostgresqlProcess.config())
            .resolve();
    Database database = Database.open(config);
    JournalSchema.create(database);
    return new TenantJournal(config, database, JdbcReadJournal.Identifier());
  }

  @Override
  public void close() {
    storage.close();
  }

  private static Config sqlConfig(Path directory) {
    String url =
        "jdbc:h2:file:" + directory.resolve("rowhouse") + ";WRITE_DELAY=0;DB_CLOSE_DELAY=-1";
    return ConfigFactory.parseString(
            """
            rowhouse.journal.jdbc {
              url = "%s", user = "", password = "", connections = 2, connection-timeout = 60s
            }
            pekko.persistence {
              journal.plugin = jdbc-journal
              snapshot-store.plugin = jdbc-snapshot-store
            }
            pekko-persistence-jdbc.shared-databases.slick {
              profile = "slick.jdbc.H2Profile$"
              db {
                url = ${rowhouse.journal.jdbc.url}
                driver = org.h2.Driver
                numThreads = 4
                maxConnections = 4
                minConnections = 1
                connectionTimeout = 60000
              }
            }
            jdbc-journal.use-shared-db = slick
            # A slow machine is no journal that fails.
            jdbc-journal.circuit-breaker.call-timeout = 60s
            jdbc-snapshot-store.use-shared-db = slick
            jdbc-read-journal {
              use-shared-db = slick
              refresh-interval = 100ms
              journal-sequence-retrieval.query-delay = 100ms
            }
            """
                .formatted(url))
        .withFallback(ConfigFactory.parseResources("serialization.conf"))
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }
}
