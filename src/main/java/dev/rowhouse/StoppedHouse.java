package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.replay.ReplaySettings;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageLedger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The journal of a house that does not run, opened for a replay. Plans and models are those of
 * conf/, because the operator's changes to them are read by a running node only.
 */
final class StoppedHouse implements ReplayHouse, AutoCloseable {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  /**
   * No request waits here: a busy machine makes a replay slow, and must not make its journal look
   * away or a snapshot unreadable.
   */
  private static final String PATIENT =
      """
      pekko.actor.provider = local
      pekko.loglevel = ERROR
      rowhouse.journal.jdbc.connection-timeout = 2m
      pekko-persistence-jdbc.shared-databases.slick.db.connectionTimeout = 120000
      jdbc-journal.circuit-breaker.call-timeout = 2m
      jdbc-journal.recovery-event-timeout = 2m
      jdbc-snapshot-store.circuit-breaker.call-timeout = 2m
      """;

  private final DataDirectory data;
  private final Storage storage;
  private final ActorSystem<Void> system;
  private final HouseCatalog house;
  private final UsageJournal journal;
  private final Replays replays;

  private StoppedHouse(
      DataDirectory data,
      Storage storage,
      ActorSystem<Void> system,
      HouseCatalog house,
      UsageJournal journal,
      Replays replays) {
    this.data = data;
    this.storage = storage;
    this.system = system;
    this.house = house;
    this.journal = journal;
    this.replays = replays;
  }

  /**
   * Takes the data directory, as a node does.
   *
   * @param url where to ask instead, when a node runs
   */
  static StoppedHouse open(Path directory, String url) {
    Config config =
        ConfigFactory.parseString(PATIENT).withFallback(Preflight.loadConfig(directory));
    if (isEmbedded(config) && !Files.exists(directory.resolve("journal.mv.db"))) {
      throw new CommandFailure(
          StartFailure.USAGE,
          "there is no journal in " + directory + "; name a node's data directory with --data-dir");
    }
    DataDirectory data =
        DataDirectory.take(directory, "Leave --offline out to ask it at " + url + ", or stop it.");
    Storage storage = null;
    ActorSystem<Void> system = null;
    try {
      storage = StorageStart.open(config);
      Fence fence = Fence.open(storage, InstantSource.system());
      system = ActorSystem.create(Behaviors.empty(), Node.NAME, config);
      LedgerSettings ledgers = LedgerSettings.of(config);
      ReplaySettings settings = ReplaySettings.of(config);
      return new StoppedHouse(
          data,
          storage,
          system,
          HouseCatalog.of(config),
          new UsageJournal(system, fence, ledgers, settings.attemptsMax()),
          Reports.replays(system, fence, ledgers, InstantSource.system()));
    } catch (RuntimeException e) {
      close(data, storage, system);
      throw e;
    }
  }

  /** Whether the journal is a file of the data directory. */
  private static boolean isEmbedded(Config config) {
    return config.getString(Storage.KIND).equals("sql")
        && config.getString("rowhouse.journal.jdbc.url").startsWith("jdbc:h2:");
  }

  ActorSystem<Void> system() {
    return system;
  }

  Replays replays() {
    return replays;
  }

  @Override
  public CompletionStage<LedgerReply.Cut> cut(
      TenantId tenant, UsageLedger.@Nullable Buckets buckets) {
    return journal.recovered(tenant, buckets).thenApply(cut -> cut);
  }

  @Override
  public Catalog catalog() {
    return house.catalog();
  }

  @Override
  public Plan plan(String name) {
    return house.planOf(name, catalog());
  }

  @Override
  public int workers() {
    return 0;
  }

  @Override
  public String ledger() {
    return "recovered";
  }

  @Override
  public void close() {
    close(data, storage, system);
  }

  private static void close(
      DataDirectory data, @Nullable Storage storage, @Nullable ActorSystem<Void> system) {
    if (system != null) {
      system.terminate();
      try {
        system
            .getWhenTerminated()
            .toCompletableFuture()
            .get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        // It was only read: nothing is lost by leaving now.
      }
    }
    if (storage != null) {
      storage.close();
    }
    data.close();
  }
}
