package dev.rowhouse.reporting;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalSchema;
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
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** A node's journal in a directory, ledgers on it, and the query tables. */
final class Office implements AutoCloseable {
  static final TenantId ACME = new TenantId("acme");
  static final Instant NOON = Instant.parse("2026-03-10T12:00:00Z");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  final ActorTestKit kit;
  final Database database;
  final Reporting reporting;
  final ReportingSettings settings;
  final Transactions transactions;
  private final Fence fence;
  private final LedgerSettings ledgers;
  private final Random random = new Random(7);
  private long batches;

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

  private Office(Config config) {
    database = Database.open(config);
    JournalSchema.create(database);
    InstantSource clock = InstantSource.system();
    fence = Fence.open(database, clock);
    kit = ActorTestKit.create("office", config);
    settings = ReportingSettings.of(config);
    ledgers = LedgerSettings.of(config);
    var blocking =
        kit.system()
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig("rowhouse.blocking-dispatcher"));
    transactions = new Transactions(database, blocking);
    reporting =
        Reporting.of(kit.system(), database, fence, blocking, clock, settings, ledgers, witness);
  }

  static Office open(Path directory) {
    return new Office(
        ConfigFactory.parseString(
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
                """
                    .formatted(directory.toAbsolutePath()))
            .withFallback(ConfigFactory.parseResources("usage.conf"))
            .withFallback(ConfigFactory.parseResources("reporting.conf"))
            .withFallback(ConfigFactory.parseResources("audit.conf"))
            .withFallback(ConfigFactory.parseResources("persistence.conf"))
            .withFallback(ConfigFactory.parseResources("serialization.conf"))
            .withFallback(ConfigFactory.load("reference"))
            .resolve());
  }

  /** Starts to fill the tables. */
  void project() {
    UsageProjection projection =
        UsageProjection.prepared(kit.system(), database, InstantSource.system(), settings);
    for (String tag : UsageTag.all()) {
      kit.spawn(projection.behavior(kit.system(), tag), tag);
    }
  }

  ActorRef<UsageLedger.Command> ledger(TenantId tenant) {
    return kit.spawn(
        UsageLedger.create(
            tenant,
            ZoneOffset.UTC,
            kit.<LedgerReply.Notice>createTestProbe().ref(),
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
      @org.jspecify.annotations.Nullable String tenant,
      UsageQuestion.Width width,
      UsageQuestion.Split split) {
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
    get(Anchors.tell(transactions, witness, 100).thenApply(_ -> true));
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

  void sql(String statement) {
    try (Connection connection = database.connection();
        Statement sql = connection.createStatement()) {
      sql.execute(statement);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  long count(String query) {
    try (Connection connection = database.connection();
        Statement sql = connection.createStatement();
        ResultSet row = sql.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
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
    kit.shutdownTestKit();
    database.close();
  }
}
