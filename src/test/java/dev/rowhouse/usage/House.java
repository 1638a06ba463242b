package dev.rowhouse.usage;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** A node's journal in a directory, and ledgers on it. The clock stands until it is moved. */
final class House implements AutoCloseable {
  static final TenantId ACME = new TenantId("acme");
  static final Duration PATIENCE = Duration.ofMinutes(1);

  private static final int BLOCKING_THREADS = 4;

  final ActorTestKit kit;
  private final Storage storage;
  final Fence fence;
  final LedgerSettings settings;
  private final AtomicReference<Instant> now;
  private final AtomicLong batches = new AtomicLong();

  private House(Config config, Instant now) {
    this.now = new AtomicReference<>(now);
    this.storage = Storage.open(config);
    if (storage instanceof Database database) {
      JournalSchema.create(database);
    }
    this.fence = Fence.open(storage, clock());
    this.kit = ActorTestKit.create("usage", config);
    this.settings = LedgerSettings.of(config);
  }

  static House open(Path directory) {
    return open(directory, "");
  }

  static House open(Path directory, String more) {
    return new House(config(directory, more), Sample.NOON);
  }

  /** On another storage than the embedded one. */
  static House on(Path directory, String more, Config storage) {
    return new House(
        ConfigFactory.parseString(more)
            .withFallback(own(directory))
            .withFallback(ConfigFactory.parseResources("serialization.conf"))
            .withFallback(storage)
            .withFallback(ConfigFactory.parseResources("usage.conf"))
            .resolve(),
        Sample.NOON);
  }

  static Config config(Path directory, String more) {
    return ConfigFactory.parseString(more)
        .withFallback(own(directory))
        .withFallback(ConfigFactory.parseResources("usage.conf"))
        .withFallback(ConfigFactory.parseResources("persistence.conf"))
        .withFallback(ConfigFactory.parseResources("serialization.conf"))
        .withFallback(ConfigFactory.defaultReference())
        .resolve();
  }

  private static Config own(Path directory) {
    return ConfigFactory.parseString(
        """
        rowhouse.data-dir = "%s"
        rowhouse.blocking-dispatcher {
          type = Dispatcher
          executor = thread-pool-executor
          thread-pool-executor.fixed-pool-size = %d
        }
        rowhouse.usage {
          snapshot-every = 5, check-every = 100ms, reconcile-every = 1h
          restart-backoff-min = 50ms, restart-backoff-max = 400ms
        }
        # A slow machine is no journal that fails.
        rowhouse.journal.jdbc.connection-timeout = 60s
        pekko-persistence-jdbc.shared-databases.slick.db.connectionTimeout = 60000
        jdbc-journal.circuit-breaker.call-timeout = 60s
        jdbc-snapshot-store.circuit-breaker.call-timeout = 60s
        pekko.actor.provider = local
        pekko.loglevel = WARNING
        """
            .formatted(directory.toAbsolutePath(), BLOCKING_THREADS));
  }

  InstantSource clock() {
    return now::get;
  }

  void pass(Duration time) {
    now.updateAndGet(it -> it.plus(time));
  }

  /** A ledger and the one who hears from it. */
  record Opening(ActorRef<UsageLedger.Command> ledger, TestProbe<LedgerReply.Notice> parent) {
    /** What it read at last, after any tries that failed. */
    LedgerReply.Opened opened() {
      LedgerReply.Notice notice = parent.receiveMessage(PATIENCE);
      return notice instanceof LedgerReply.Opened read ? read : opened();
    }
  }

  Opening ledger() {
    return ledger(ZoneOffset.UTC);
  }

  Opening ledger(ZoneId zone) {
    return ledger(ACME, zone);
  }

  Opening ledger(TenantId tenant, ZoneId zone) {
    TestProbe<LedgerReply.Notice> parent = kit.createTestProbe(LedgerReply.Notice.class);
    return new Opening(
        kit.spawn(
            UsageLedger.create(tenant, zone, parent.getRef(), fence, settings, "test", clock())),
        parent);
  }

  LedgerReply.Append append(ActorRef<UsageLedger.Command> ledger, UsageRecord... records) {
    return append(ledger, List.of(records), List.of());
  }

  LedgerReply.Append append(
      ActorRef<UsageLedger.Command> ledger, List<UsageRecord> records, List<StartedEntry> started) {
    long batch = batches.incrementAndGet();
    return ask(ledger, replyTo -> new UsageLedger.Append(batch, records, started, replyTo));
  }

  Totals totals(ActorRef<UsageLedger.Command> ledger) {
    LedgerReply.Sums sums = ask(ledger, UsageLedger.GetTotals::new);
    return switch (sums) {
      case LedgerReply.TotalsNow known -> known.totals();
      case LedgerReply.Away away -> throw new AssertionError(away.reason());
    };
  }

  LedgerReply.Status status(ActorRef<UsageLedger.Command> ledger) {
    return ask(ledger, UsageLedger.GetStatus::new);
  }

  LedgerReply.RecordsPage page(
      ActorRef<UsageLedger.Command> ledger,
      @org.jspecify.annotations.Nullable String after,
      int limit) {
    LedgerReply.Records records =
        ask(ledger, replyTo -> new UsageLedger.ReadRecords(after, limit, replyTo));
    return switch (records) {
      case LedgerReply.RecordsPage page -> page;
      case LedgerReply.RecordsRefused refused -> throw new AssertionError(refused.reason());
      case LedgerReply.Away away -> throw new AssertionError(away.reason());
    };
  }

  List<UsageRecord> records(ActorRef<UsageLedger.Command> ledger) {
    List<UsageRecord> all = new java.util.ArrayList<>();
    LedgerReply.RecordsPage page = page(ledger, null, UsageLedger.PAGE_LENGTH_MAX);
    while (true) {
      page.records().forEach(row -> all.add(row.record()));
      if (!page.hasMore()) {
        return all;
      }
      page = page(ledger, page.lastId(), UsageLedger.PAGE_LENGTH_MAX);
    }
  }

  <T> T ask(
      ActorRef<UsageLedger.Command> ledger, Function<ActorRef<T>, UsageLedger.Command> question) {
    CompletionStage<T> answer = AskPattern.ask(ledger, question::apply, PATIENCE, kit.scheduler());
    return answer.toCompletableFuture().join();
  }

  /** Keeps every thread busy that may block, until what this returns is counted down. */
  CountDownLatch block() {
    CountDownLatch open = new CountDownLatch(1);
    Executor blocking =
        kit.system()
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig("rowhouse.blocking-dispatcher"));
    for (int thread = 0; thread < BLOCKING_THREADS; thread++) {
      blocking.execute(
          () -> {
            try {
              open.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
    }
    return open;
  }

  void stop(ActorRef<UsageLedger.Command> ledger) {
    kit.stop(ledger);
  }

  void loseSnapshots() {
    switch (storage) {
      case Database _ -> sql("delete from \"snapshot\"");
      case Cassandra cassandra -> cassandra.execute("truncate snapshots");
    }
  }

  void damageSnapshots() {
    switch (storage) {
      case Database database -> damageSnapshots(database);
      case Cassandra cassandra ->
          cassandra
              .all("select persistence_id, sequence_nr from snapshots")
              .forEach(
                  row ->
                      cassandra.execute(
                          "update snapshots set snapshot_data = 0x00ff"
                              + " where persistence_id = ? and sequence_nr = ?",
                          row.getString(0),
                          row.getLong(1)));
    }
  }

  private static void damageSnapshots(Database database) {
    try (Connection connection = database.connection();
        PreparedStatement update =
            connection.prepareStatement("update \"snapshot\" set \"snapshot_payload\" = ?")) {
      update.setBytes(1, new byte[] {0, -1});
      update.executeUpdate();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  void sql(String statement) {
    try (Connection connection = Database.of(storage).connection();
        Statement sql = connection.createStatement()) {
      sql.execute(statement);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
    storage.close();
  }
}
