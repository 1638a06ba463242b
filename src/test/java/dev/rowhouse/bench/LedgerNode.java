package dev.rowhouse.bench;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageLedger;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A node's journal in a directory and ledgers on it, with the conf of the product. */
final class LedgerNode implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  final ActorSystem<SpawnProtocol.Command> system;
  private final Storage storage;
  private final Fence fence;
  private final LedgerSettings settings;

  private LedgerNode(Config config) {
    this.storage = Storage.open(config);
    if (storage instanceof Database database) {
      JournalSchema.create(database);
    }
    this.fence = Fence.open(storage, InstantSource.system());
    this.system = ActorSystem.create(SpawnProtocol.create(), "ledgers", config);
    this.settings = LedgerSettings.of(config);
  }

  static LedgerNode open(Path directory, String more) {
    return open(directory, ConfigFactory.parseString(more));
  }

  /** On Cassandra when that is what {@code more} holds: a keyspace with tables. */
  static LedgerNode open(Path directory, Config more) {
    return new LedgerNode(
        ConfigFactory.parseString(
                """
                rowhouse.data-dir = "%s"
                rowhouse.blocking-dispatcher {
                  type = Dispatcher
                  executor = thread-pool-executor
                  thread-pool-executor.fixed-pool-size = 8
                }
                pekko { actor.provider = local, loglevel = WARNING }
                """
                    .formatted(directory.toAbsolutePath()))
            // Before what holds the defaults of all libraries.
            .withFallback(ConfigFactory.parseResources("serialization.conf"))
            .withFallback(more)
            .withFallback(ConfigFactory.parseResources("usage.conf"))
            .withFallback(ConfigFactory.parseResources("persistence.conf"))
            .withFallback(ConfigFactory.defaultReference())
            .resolve());
  }

  /** A ledger, and what it says when it has been read. */
  record Opening(
      ActorRef<UsageLedger.Command> ledger, CompletableFuture<LedgerReply.Opened> opened) {}

  Opening ledger(String tenant) {
    CompletableFuture<LedgerReply.Opened> opened = new CompletableFuture<>();
    Behavior<LedgerReply.Notice> listener =
        Behaviors.receiveMessage(
            said -> {
              if (said instanceof LedgerReply.Opened read) {
                opened.complete(read);
              }
              return Behaviors.same();
            });
    ActorRef<LedgerReply.Notice> parent = spawn(listener, tenant + "-parent");
    return new Opening(
        spawn(
            UsageLedger.create(
                new TenantId(tenant),
                ZoneOffset.UTC,
                parent,
                fence,
                settings,
                "bench",
                InstantSource.system()),
            tenant),
        opened);
  }

  private <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
    return AskPattern.<SpawnProtocol.Command, ActorRef<T>>ask(
            system,
            replyTo ->
                new SpawnProtocol.Spawn<>(
                    behavior, name, org.apache.pekko.actor.typed.Props.empty(), replyTo),
            PATIENCE,
            system.scheduler())
        .toCompletableFuture()
        .join();
  }

  void loseSnapshots() throws SQLException {
    switch (storage) {
      case Cassandra cassandra -> cassandra.execute("truncate snapshots");
      case Database database -> {
        try (Connection connection = database.connection();
            Statement sql = connection.createStatement()) {
          sql.execute("delete from \"snapshot\"");
        }
      }
    }
  }

  @Override
  public void close() {
    system.terminate();
    system
        .getWhenTerminated()
        .toCompletableFuture()
        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .join();
    storage.close();
  }
}
