package dev.rowhouse.reporting;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.ChainHead;
import dev.rowhouse.usage.LedgerChain;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageLedger;
import dev.rowhouse.usage.UsageRecord;
import dev.rowhouse.usage.UsageTag;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/** A node's journal in a directory, ledgers on it, and the query tables. */
final class Office implements AutoCloseable {
  static final TenantId ACME = new TenantId("acme");
  static final Instant NOON = Instant.parse("2026-03-10T12:00:00Z");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final ActorTestKit kit;
  final Storage storage;
  final Drawer drawer;
  private final UsageStore store;
  private final Executor blocking;
  final Reporting reporting;
  final ReportingSettings settings;
  private final Fence fence;
  private final LedgerSettings ledgers;
  private final Config config;
  private final Random random = new Random(7);
  private long batches;
  private @Nullable ActorTestKit otherNode;

  /** What was told to the witness. */
  final Map<String, String> anchors = new ConcurrentHashMap<>();

  final List<Reconciliation.Outcome> alarms = new CopyOnWriteArrayList<>();

  private final Witness witness =
      new Witness() {
        @Override
        public CompletionStage<?> anchor(Map<String, String> heads) {
          anchors.putAll(heads);
          return CompletableFuture.completedFuture(heads.size());
        }

        @Override
        public void alarm(Reconciliation.Outcome outcome) {
          alarms.add(outcome);
        }
      };

  private Office(Storage storage, Config config) {
    this.storage = storage;
    this.config = config;
    drawer = Drawer.of(storage);
    InstantSource clock = InstantSource.system();
    fence = Fence.open(storage, clock);
    kit = ActorTestKit.create("office", config);
    settings = ReportingSettings.of(config);
    ledgers = LedgerSettings.of(config);
    blocking =
        kit.system()
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig("rowhouse.blocking-dispatcher"));
    store = UsageStore.open(storage, config, settings);
    reporting =
        Reporting.of(kit.system(), storage, fence, blocking, clock, settings, ledgers, witness);
  }

  static Office open(Path directory) {
    return open(directory, ConfigFactory.empty());
  }

  /** On an SQL database that is there, and empty. */
  static Office open(Path directory, Config sql) {
    Config config = config(directory, sql);
    Database database = Database.open(config);
    JournalSchema.create(database);
    return new Office(database, config);
  }

  /** On a keyspace that is there; what is in it is deleted. */
  static Office onCassandra(Path directory, String keyspace) {
    Config config = config(directory, CassandraProcess.config(keyspace));
    Cassandra cassandra = Cassandra.open(config);
    Drawer.Cql.empty(cassandra);
    return new Office(cassandra, config);
  }

  private static Config config(Path directory, Config storage) {
    return ConfigFactory.parseString(
            """
            rowhouse.data-dir = "%s"
            rowhouse.blocking-dispatcher {
              type = Dispatcher
              executor = thread-pool-executor
              thread-pool-executor.fixed-pool-size = 4
            }
            # What was written by now is due at once.
            rowhouse.reporting.reconcile-grace = -1h
            pekko.actor.provider = local
            pekko.loglevel = WARNING
            pekko.projection.grouped.group-after-duration = 20ms
            pekko.persistence.cassandra {
              # A slow machine is no journal that fails.
              journal.circuit-breaker.call-timeout = 60s
              snapshot.circuit-breaker.call-timeout = 60s
              events-by-tag.tag-write-timeout = 60s
              query.refresh-interval = 100ms
              events-by-tag {
                first-time-bucket = "%s"
                eventual-consistency-delay = 1s
                new-persistence-id-scan-timeout = 0s
              }
            }
            """
                .formatted(directory.toAbsolutePath(), yesterday()))
        // Before the storage's, which holds the defaults of all libraries.
        .withFallback(ConfigFactory.parseResources("reporting.conf"))
        .withFallback(ConfigFactory.parseResources("serialization.conf"))
        .withFallback(storage)
        .withFallback(ConfigFactory.parseResources("usage.conf"))
        .withFallback(ConfigFactory.parseResources("audit.conf"))
        .withFallback(ConfigFactory.parseResources("persistence.conf"))
        .withFallback(ConfigFactory.load("reference"))
        .resolve();
  }

  /** The first hour that is asked for events. */
  private static String yesterday() {
    return LocalDate.now(ZoneOffset.UTC).minusDays(1).format(DateTimeFormatter.BASIC_ISO_DATE)
        + "T00:00";
  }

  /** Starts to fill the tables. */
  void project() {
    UsageProjection projection =
        UsageProjection.prepared(kit.system(), store, blocking, InstantSource.system(), settings);
    for (String tag : UsageTag.all()) {
      kit.spawn(projection.behavior(kit.system(), tag), tag);
    }
  }

  /** Starts to look after the tables. */
  void reconcile() {
    kit.spawn(
        Reconciler.create(
            reporting.reconciliation(),
            store,
            blocking,
            InstantSource.system(),
            settings,
            reporting.counts(),
            witness));
  }

  ActorRef<UsageLedger.Command> ledger(TenantId tenant) {
    return ledger(kit, tenant);
  }

  /**
   * A ledger on a node of its own, beside which another may live. One process has one writer of a
   * ledger, and Cassandra's journal counts on it: it tags no event of a writer whose segment was
   * read since in the same process.
   */
  ActorRef<UsageLedger.Command> ledgerElsewhere(TenantId tenant) {
    if (otherNode == null) {
      otherNode = ActorTestKit.create("annex", config);
    }
    return ledger(otherNode, tenant);
  }

  private ActorRef<UsageLedger.Command> ledger(ActorTestKit node, TenantId tenant) {
    return node.spawn(
        UsageLedger.create(
            tenant,
            ZoneOffset.UTC,
            node.<LedgerReply.Notice>createTestProbe().ref(),
            fence,
            ledgers,
            "test",
            InstantSource.system()));
  }

  void append(ActorRef<UsageLedger.Command> ledger, UsageRecord... records) {
    long batch = ++batches;
    LedgerReply.Append reply =
        get(
            AskPattern.<UsageLedger.Command, LedgerReply.Append>ask(
                ledger,
                replyTo -> new UsageLedger.Append(batch, List.of(records), List.of(), replyTo),
                PATIENCE,
                kit.scheduler()));
    if (reply instanceof LedgerReply.AppendFailed failed) {
      throw new AssertionError(failed.reason());
    }
  }

  UsageRecord record(Instant time, String model, String key, long input, long output) {
    return record(AttemptId.mint(time, random), time, model, key, input, output, false);
  }

  static UsageRecord record(
      String attempt,
      Instant time,
      String model,
      String key,
      long input,
      long output,
      boolean unknown) {
    return new UsageRecord(
        attempt,
        time.toEpochMilli(),
        key,
        model,
        unknown ? "" : model + "-2026",
        input,
        output,
        unknown ? UsageRecord.Status.UNKNOWN : UsageRecord.Status.COMPLETED,
        unknown ? 0 : 200,
        null,
        true,
        unknown,
        250,
        40,
        3,
        UsageRecord.MISS,
        null,
        3 * input + 9 * output,
        0);
  }

  Reconciliation.Outcome check(TenantId tenant) {
    return get(reporting.reconciliation().check(tenant, true));
  }

  UsageReports.Answer ask(UsageQuestion question) {
    return get(reporting.reports().ask(question));
  }

  /** Everything of a tenant, as a query says it. */
  Sums usage(TenantId tenant) {
    Sums total =
        ask(question(tenant.value(), UsageQuestion.Width.DAY, UsageQuestion.Split.NOTHING)).total();
    return total == null ? Sums.NONE : total;
  }

  static UsageQuestion question(
      @Nullable String tenant, UsageQuestion.Width width, UsageQuestion.Split split) {
    return new UsageQuestion(
        tenant,
        null,
        null,
        null,
        NOON.minus(Duration.ofDays(100)),
        NOON.plus(Duration.ofDays(10)),
        width,
        split,
        null,
        1_000);
  }

  /** Tells the witness of changed heads; returns how many it knows by then. */
  int anchor() {
    get(Anchors.tell(store, blocking, witness, 100).thenApply(_ -> true));
    return anchors.size();
  }

  /** What is wrong with a ledger by the heads that the witness knows. */
  List<LedgerChain.Fault> faults(TenantId tenant) {
    List<ChainHead> heads =
        anchors.entrySet().stream()
            .map(
                it -> {
                  String[] parts = it.getValue().split(" ", -1);
                  return new ChainHead(it.getKey(), Long.parseLong(parts[0]), parts[1]);
                })
            .toList();
    return get(reporting.chains().check(tenant.value(), heads));
  }

  /** Adds up the rows of hours before that one. */
  void fold(long beforeHour) {
    get(
        CompletableFuture.supplyAsync(
            () -> {
              store.due(beforeHour, 10).forEach(due -> due.work().run());
              return true;
            },
            blocking));
  }

  void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + PATIENCE.toSeconds() + " s: " + what);
      }
      java.util.concurrent.locks.LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }

  static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Override
  public void close() {
    if (otherNode != null) {
      otherNode.shutdownTestKit();
    }
    kit.shutdownTestKit();
    storage.close();
  }
}
