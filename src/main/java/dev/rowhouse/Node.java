package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.http.Health;
import dev.rowhouse.http.Planes;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.JournalWatch;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.retrieval.BgeEmbedder;
import dev.rowhouse.serving.Answering;
import dev.rowhouse.serving.BudgetMarks;
import dev.rowhouse.serving.Census;
import dev.rowhouse.serving.Idempotency;
import dev.rowhouse.serving.InHand;
import dev.rowhouse.serving.ServingParts;
import dev.rowhouse.serving.ServingSettings;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.serving.Throttle;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.Erasure;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.JournalProbe;
import dev.rowhouse.tenant.SigningKey;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantSealing;
import dev.rowhouse.tenant.WriteFence;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageLedger;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.jspecify.annotations.Nullable;

/** One running node: the rooms of the house, opened ground floor first. */
final class Node {
  static final String NAME = "rowhouse";
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(150);

  /** One text takes a tenth of a second; loading the model takes a few. */
  private static final Duration EMBEDDER_REST_MAX = Duration.ofSeconds(15);

  private final DataDirectory data;
  private final Storage storage;
  private final ActorSystem<Void> system;
  private final Planes planes;
  private final boolean tokenFromFile;
  private final CountDownLatch ended;
  private final AtomicInteger stopCode = new AtomicInteger(-1);

  private Node(
      DataDirectory data,
      Storage storage,
      ActorSystem<Void> system,
      Planes planes,
      CountDownLatch ended,
      boolean tokenFromFile) {
    this.data = data;
    this.storage = storage;
    this.system = system;
    this.planes = planes;
    this.ended = ended;
    this.tokenFromFile = tokenFromFile;
  }

  static String version() {
    String version = Node.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** Opens the rooms; what stands in the way comes as a {@link StartFailure}. */
  static Node start() {
    Config config = Preflight.loadConfig();
    DataDirectory data = DataDirectory.take(Path.of(config.getString("rowhouse.data-dir")));
    Storage storage = null;
    ActorSystem<Void> system = null;
    try {
      ClusterPlace.check(config);
      NodeCertificate.check(config, Instant.now());
      if (config.getStringList("pekko.cluster.roles").contains(ClusterPlace.GATEWAY)) {
        Preflight.checkAddress(config, "port", "ROWHOUSE_HTTP_PORT");
      }
      Preflight.checkAddress(config, "operator-port", "ROWHOUSE_OPERATOR_PORT");
      String configuredToken = config.getString("rowhouse.http.operator-token");
      String token = configuredToken.isEmpty() ? data.operatorToken() : configuredToken;
      HouseCatalog house = HouseCatalog.of(config);
      storage = StorageStart.open(config);
      system =
          ActorSystem.create(Behaviors.empty(), NAME, ClusterPlace.besideOthers(config, storage));
      return open(data, storage, system, house, token, configuredToken.isEmpty());
    } catch (ConfigException e) {
      close(data, storage, system);
      throw Preflight.broken(e);
    } catch (JournalException e) {
      close(data, storage, system);
      throw new StartFailure(
          StartFailure.JOURNAL, "The journal cannot be used: " + StorageStart.oneLine(e));
    } catch (RuntimeException e) {
      close(data, storage, system);
      StartFailure address = Preflight.addressFailure(e);
      throw address == null ? e : address;
    }
  }

  private static Node open(
      DataDirectory data,
      Storage storage,
      ActorSystem<Void> system,
      HouseCatalog house,
      String token,
      boolean tokenFromFile) {
    Health health = new Health();
    Majority majority = Majority.start(system);
    health.majority(majority::isHeld);
    Joining.join(system);
    health.met(Health.Need.MEMBER, true);

    Foundation base = Foundation.open(data, storage, system);
    Config config = base.config();
    WriteFence writeFence = base.writeFence();
    JournalProbe probe = JournalProbe.of(system, config.getString("rowhouse.usage.read-journal"));
    Duration fenceTimeout = config.getDuration("rowhouse.tenant.fence-timeout");
    LedgerSettings ledgers = LedgerSettings.of(config);
    TenantRecord.Setting records =
        new TenantRecord.Setting(
            writeFence,
            probe,
            base.keys(),
            new TenantSealing(system),
            fenceTimeout,
            house.defaultPlan(),
            base.clock());
    WarmUp warmUp = WarmUp.begin(base, records, ledgers);
    ActorRef<CatalogKeeper.Command> keeper =
        base.singleton(CatalogKeeper.create(house, writeFence, probe, fenceTimeout), "catalog");
    CatalogReplica catalog = new CatalogReplica(house.catalog());
    ActorRef<CatalogReplica.Command> copy =
        base.actor(
            catalog.behavior(
                keeper, config.getDuration("rowhouse.tenant.catalog-resubscribe-delay")),
            "catalog-replica");
    Reports reports = Reports.open(base, house, ledgers);

    ActorRef<FairnessCoordinator.Command> coordinator =
        FairnessCoordinator.init(
            system,
            FairnessSettings.from(config),
            () -> base.fence().claim("coordinator", base.self(), base.blocking()));
    Knowledge knowledge = Knowledge.open(base);

    ServingSettings serving = ServingSettings.of(config);
    warmUp.await();
    InHand inHand = new InHand();
    ActorRef<Census.Command> census = base.actor(Census.create(inHand), "census");
    JournalWatch watch = JournalWatch.start(storage, base.self(), config);
    system.getWhenTerminated().whenComplete((_, _) -> watch.close());
    health.journal(watch::isAvailable);
    BudgetMarks marks = new BudgetMarks();
    ServingParts parts =
        new ServingParts(
            serving,
            base.clock(),
            catalog,
            house,
            coordinator,
            (tenant, parent) -> TenantRecord.create(tenant, parent, records),
            (tenant, zone, parent) ->
                UsageLedger.create(
                    tenant, zone, parent, base.fence(), ledgers, base.self(), base.clock()),
            defaultZone(config),
            census,
            watch::isAvailable,
            marks);
    TenantPort tenants =
        new TenantPort(
            system,
            TenantEntity.init(ClusterSharding.get(system), parts),
            config.getDuration("rowhouse.http.ask-timeout"));
    LocalWorker.start(base, coordinator, tenants, knowledge.embedder(), copy);
    Duration upTimeout = config.getDuration("rowhouse.cluster.up-timeout");
    ClusterWait.awaitCoordinator(system, coordinator, upTimeout);
    health.met(Health.Need.COORDINATOR, true);
    ClusterWait.awaitSharding(system, upTimeout);
    health.met(Health.Need.SHARDING, true);

    Throttle throttle = Throttle.of(config);
    Idempotency idempotency =
        Vault.idempotency(
            system, storage, base.keys(), base.secret(), base.blocking(), base.clock());
    Answering.Settings answering =
        new Answering.Settings(
            tenants,
            base.clock(),
            serving.durableWaitMillis(),
            serving.answerBytesMax(),
            base.actor(throttle.behavior(base.clock(), catalog), "throttle"),
            inHand,
            majority::isHeld,
            new SecureRandom());
    Erasure erasure =
        new Erasure(
            storage,
            base.keys(),
            SigningKey.of(base.keys()),
            List.of(
                knowledge.erasure(base),
                idempotency,
                reports.directory(),
                reports.reporting().erasure()),
            base.clock(),
            base.blocking(),
            config.getDuration("rowhouse.tenant.erasure.resume-every"));
    Planes planes =
        Planes.open(
                new Planes.Parts(
                    system,
                    config,
                    base.clock(),
                    base.secret(),
                    token,
                    tenants,
                    knowledge.region(),
                    keeper,
                    catalog,
                    house.slotsDefault(),
                    reports.directory(),
                    reports.reporting(),
                    reports.audit(),
                    coordinator,
                    answering,
                    throttle,
                    marks,
                    base.keys(),
                    idempotency,
                    erasure,
                    config.getMemorySize("rowhouse.retrieval.files.bytes-max").toBytes(),
                    health,
                    Reports.replays(system, base.fence(), ledgers, base.clock()),
                    new RunningHouse(system, tenants, catalog, house)))
            .toCompletableFuture()
            .join();
    return new Node(
        data, storage, system, planes, OrderlyEnd.arrange(system, health, planes), tokenFromFile);
  }

  private static ZoneId defaultZone(Config config) {
    String zone = config.getString("rowhouse.tenant.default-time-zone");
    try {
      return ZoneId.of(zone);
    } catch (DateTimeException e) {
      throw new StartFailure(
          StartFailure.CONFIG,
          "rowhouse.tenant.default-time-zone is no time zone: '"
              + zone
              + "'. Set an IANA name such as Europe/Berlin.");
    }
  }

  String greeting() {
    List<String> roles = system.settings().config().getStringList("pekko.cluster.roles");
    return Greeting.of(planes, roles, data, tokenFromFile);
  }

  void awaitEnd() {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether the cluster has put this node out; it has stopped by itself then. */
  boolean isDowned() {
    return OrderlyEnd.isDowned(system);
  }

  /** Stops in order, once; gives the exit code. */
  int stop() {
    synchronized (stopCode) {
      if (stopCode.get() >= 0) {
        return stopCode.get();
      }
      int code = isDowned() ? StartFailure.CLUSTER : 0;
      try {
        CoordinatedShutdown.get(system)
            .runAll(CoordinatedShutdown.jvmExitReason())
            .toCompletableFuture()
            .get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException e) {
        code = 1;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        code = 1;
      }
      BgeEmbedder.shared(1).rest(EMBEDDER_REST_MAX);
      storage.close();
      data.close();
      stopCode.set(code);
      return code;
    }
  }

  private static void close(
      DataDirectory data, @Nullable Storage storage, @Nullable ActorSystem<Void> system) {
    if (system != null) {
      system.terminate();
    }
    if (storage != null) {
      storage.close();
    }
    data.close();
  }
}
