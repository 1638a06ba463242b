package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Database;
import java.nio.file.Path;

/** The settings of the tests: the room's own, a database in a file, a cluster of one node. */
final class TestConfig {
  private TestConfig() {}

  static Config of(Path directory) {
    return ConfigFactory.parseString(
            """
            pekko.actor.provider = cluster
            pekko.loglevel = WARNING
            pekko.remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
            pekko.cluster.roles = ["tenant"]
            pekko.cluster.jmx.multi-mbeans-in-same-jvm = on
            pekko.coordinated-shutdown.exit-jvm = off
            pekko.cluster.sharding.number-of-shards = 10
            rowhouse.blocking-dispatcher {
              type = Dispatcher
              executor = "thread-pool-executor"
              thread-pool-executor.fixed-pool-size = 4
              throughput = 1
            }
            # A loaded machine needs longer for the first use of everything than a node may take.
            rowhouse.retrieval.search { catch-up-timeout = 100s, ask-timeout = 110s }
            rowhouse.retrieval.entity.waiting-timeout = 100s
            rowhouse.journal.jdbc {
              url = "jdbc:h2:file:%s;WRITE_DELAY=0"
              user = "rowhouse", password = "", connections = 8, connection-timeout = 60s
            }
            """
                .formatted(directory.resolve("journal").toAbsolutePath()))
        .withFallback(ConfigFactory.parseResources("retrieval.conf"))
        .withFallback(ConfigFactory.load());
  }

  static RetrievalSettings settings(Path directory) {
    return RetrievalSettings.from(of(directory).getConfig("rowhouse.retrieval"));
  }

  static Database database(Path directory) {
    Database database = Database.open(of(directory));
    DocumentStore.createSchema(database);
    return database;
  }
}
