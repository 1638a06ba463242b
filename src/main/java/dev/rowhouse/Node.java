package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.audit.AuditSettings;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.http.Health;
import dev.rowhouse.http.Planes;
import dev.rowhouse.inference.EndpointHealth;
import dev.rowhouse.inference.HouseEmbedder;
import dev.rowhouse.inference.InferenceSettings;
import dev.rowhouse.inference.InferenceWorker;
import dev.rowhouse.inference.KnowledgePassages;
import dev.rowhouse.inference.Runs;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.inference.WorkerSettings;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.JournalWatch;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.replay.ReplaySettings;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.reporting.Reporting;
import dev.rowhouse.reporting.ReportingSettings;
import dev.rowhouse.retrieval.BgeEmbedder;
import dev.rowhouse.retrieval.IndexDirectories;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeErasure;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.retrieval.UnfinishedUploads;
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
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.Erasure;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.JournalProbe;
import dev.rowhouse.tenant.PromptRenderer;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.SigningKey;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.tenant.TenantDirectoryProjector;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantSealing;
import dev.rowhouse.tenant.WriteFence;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageLedger;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.ClusterShardingHealthCheck;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.FutureConverters;

/** One running node: the rooms of the house, opened ground floor first. */
final class Node {
  static final String NAME = "rowhouse";
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(150);

  /** Whoever could let an answer in flight end is out of reach. */
  private static final Duration DOWNED_DRAIN = Duration.ofSeconds(1);

  private static final Duration RESTART_MIN = Duration.ofMillis(500);
  private static final Duration RESTART_MAX = Duration.ofSeconds(10);

  /** One text takes a tenth of a second; loading the model takes a few. */
  private static final Duration EMBEDDER_REST_MAX = Duration.ofSeconds(15);

  private static final Duration POLL = Duration.ofMillis(20);

  private final DataDirectory data;
  private final Storage storage;
  private final ActorSystem<Void> system;
  private final Planes planes;
  private final Health health;
  private final boolean tokenFromFile;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicInteger stopCode = new AtomicInteger(-1);

  private Node(
      DataDirectory data,
      Storage storage,
      ActorSystem<Void> system,
      Planes planes,
      Health health,
      boolean tokenFromFile) {
    this.data = data;
    this.storage = storage;
    this.system = system;
    this.planes = planes;
    this.health = health;
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
    Config config = system.settings().config();
    InstantSource clock = InstantSource.system();
    Health health = new Health();
    Majority majority = Majority.start(system);
    health.majority(majority::isHeld);
    Joining.join(system);
    health.met(Health.Need.MEMBER, true);

    Executor blocking =
        system.dispatchers().lookup(DispatcherSelector.fromConfig("rowhouse.blocking-dispatcher"));
    String self = Cluster.get(system).selfMember().address().toString();
    Fence fence = Fence.open(storage, clock);
    DataKeys keys = Vault.open(data.path(), System.getenv(), storage, config, blocking, clock);
    ClusterSecret secret = clusterSecret(data);
    WriteFence writeFence = writeFence(fence, self, blocking);
    JournalProbe probe = JournalProbe.of(system, config.getString("rowhouse.usage.read-journal"));

    Duration fenceTimeout = config.getDuration("rowhouse.tenant.fence-timeout");
    ActorRef<CatalogKeeper.Command> keeper =
        ClusterSingleton.get(system)
            .init(
                SingletonActor.of(
                        Behaviors.supervise(
                                CatalogKeeper.create(house, writeFence, probe, fenceTimeout))
                            .onFailure(
                                SupervisorStrategy.restartWithBackoff(
                                    RESTART_MIN, RESTART_MAX, 0.2)),
                        "catalog")
                    .withSettings(ClusterSingletonSettings.create(system).withRole("tenant")));
    CatalogReplica catalog = new CatalogReplica(house.catalog());
    ActorRef<CatalogReplica.Command> copy =
        system.systemActorOf(
            catalog.behavior(
                keeper, config.getDuration("rowhouse.tenant.catalog-resubscribe-delay")),
            "catalog-replica",
            DispatcherSelector.defaultDispatcher());
    TenantDirectory directory = directory(system, storage, blocking, house, keys);
    LedgerSettings ledgers = LedgerSettings.of(config);
    AuditLog audit = audit(system, storage, fence, blocking, clock, data);
    Reporting reporting = reporting(system, storage, fence, blocking, clock, ledgers, audit);

    ActorRef<FairnessCoordinator.Command> coordinator =
        FairnessCoordinator.init(
            system,
            FairnessSettings.from(config),
            () -> fence.claim("coordinator", self, blocking));

    ClusterSharding sharding = ClusterSharding.get(system);
    BgeEmbedder embedder = BgeEmbedder.shared(config.getInt("rowhouse.retrieval.embedder.permits"));
    // In the background: the first question must not wait for the model to load.
    blocking.execute(() -> embedder.embedQuery("warm"));
    IndexDirectories indexes =
        IndexDirectories.start(
            system, storage, blocking, clock, config.getConfig("rowhouse.retrieval"), data.path());
    ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> knowledge =
        KnowledgeEntity.init(
            sharding, storage, keys, embedder, config.getConfig("rowhouse.retrieval"), indexes);

    UnfinishedUploads.start(
        system, storage, blocking, clock, config.getConfig("rowhouse.retrieval"));

    ServingSettings serving = ServingSettings.of(config);
    TenantRecord.Setting records =
        new TenantRecord.Setting(
            writeFence,
            probe,
            keys,
            new TenantSealing(system),
            fenceTimeout,
            house.defaultPlan(),
            clock);
    InHand inHand = new InHand();
    ActorRef<Census.Command> census =
        system.systemActorOf(
            Census.create(inHand), "census", DispatcherSelector.defaultDispatcher());
    JournalWatch watch = JournalWatch.start(storage, self, config);
    system.getWhenTerminated().whenComplete((_, _) -> watch.close());
    health.journal(watch::isAvailable);
    BudgetMarks marks = new BudgetMarks();
    ServingParts parts =
        new ServingParts(
            serving,
            clock,
            catalog,
            house,
            coordinator,
            (tenant, parent) -> TenantRecord.create(tenant, parent, records),
            (tenant, zone, parent) ->
                UsageLedger.create(tenant, zone, parent, fence, ledgers, self, clock),
            defaultZone(config),
            census,
            watch::isAvailable,
            marks);
    TenantPort tenants =
        new TenantPort(
            system,
            TenantEntity.init(sharding, parts),
            config.getDuration("rowhouse.http.ask-timeout"));
    startWorker(system, config, self, coordinator, tenants, embedder, copy, clock);
    awaitCoordinator(system, coordinator, config.getDuration("rowhouse.cluster.up-timeout"));
    health.met(Health.Need.COORDINATOR, true);
    awaitSharding(system, config.getDuration("rowhouse.cluster.up-timeout"));
    health.met(Health.Need.SHARDING, true);

    Throttle throttle = Throttle.of(config);
    Idempotency idempotency = Vault.idempotency(system, storage, keys, secret, blocking, clock);
    ActorRef<Throttle.Notice> throttleRef =
        system.systemActorOf(
            throttle.behavior(clock, catalog), "throttle", DispatcherSelector.defaultDispatcher());

    Planes planes =
        get(
            Planes.open(
                new Planes.Parts(
                    system,
                    config,
                    clock,
                    secret,
                    token,
                    tenants,
                    knowledge,
                    keeper,
                    catalog,
                    house.slotsDefault(),
                    directory,
                    reporting,
                    audit,
                    coordinator,
                    new Answering.Settings(
                        tenants,
                        clock,
                        serving.durableWaitMillis(),
                        serving.answerBytesMax(),
                        throttleRef,
                        inHand,
                        majority::isHeld,
                        new SecureRandom()),
                    throttle,
                    marks,
                    keys,
                    idempotency,
                    new Erasure(
                        storage,
                        keys,
                        SigningKey.of(keys),
                        List.of(
                            new KnowledgeErasure(
                                system,
                                knowledge,
                                storage,
                                blocking,
                                indexes,
                                config.getDuration("rowhouse.http.ask-timeout")),
                            idempotency,
                            directory,
                            reporting.erasure()),
                        clock,
                        blocking,
                        config.getDuration("rowhouse.tenant.erasure.resume-every")),
                    config.getMemorySize("rowhouse.retrieval.files.bytes-max").toBytes(),
                    health,
                    replays(system, fence, ledgers, clock),
                    new RunningHouse(system, tenants, catalog, house))));
    return new Node(data, storage, system, planes, health, tokenFromFile).withOrderlyEnd();
  }

  static Replays replays(
      ActorSystem<?> system, Fence fence, LedgerSettings ledgers, InstantSource clock) {
    Config config = system.settings().config();
    ReplaySettings settings = ReplaySettings.of(config);
    return new Replays(
        system,
        new UsageJournal(system, fence, ledgers, settings.attemptsMax()),
        new RecordReader(system, ledgers.readJournal()),
        settings,
        FairnessSettings.from(config),
        clock);
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

  private static TenantDirectory directory(
      ActorSystem<Void> system,
      Storage storage,
      Executor blocking,
      HouseCatalog house,
      DataKeys keys) {
    TenantDirectory directory =
        new TenantDirectory(
            storage, blocking, house.defaultPlan(), keys, new TenantSealing(system));
    directory.createSchema();
    Config config = system.settings().config();
    ClusterSingleton.get(system)
        .init(
            SingletonActor.of(
                    TenantDirectoryProjector.create(
                        directory,
                        config.getString("rowhouse.usage.read-journal"),
                        config.getDuration("rowhouse.tenant.directory.backoff-min"),
                        config.getDuration("rowhouse.tenant.directory.backoff-max")),
                    "tenant-directory")
                .withStopMessage(new TenantDirectoryProjector.Stop())
                .withSettings(ClusterSingletonSettings.create(system).withRole("tenant")));
    return directory;
  }

  private static Reporting reporting(
      ActorSystem<Void> system,
      Storage storage,
      Fence fence,
      Executor blocking,
      InstantSource clock,
      LedgerSettings ledgers,
      AuditLog audit) {
    ReportingSettings settings = ReportingSettings.of(system.settings().config());
    Reporting reporting =
        Reporting.of(
            system, storage, fence, blocking, clock, settings, ledgers, new AuditWitness(audit));
    if (Cluster.get(system).selfMember().hasRole("tenant")) {
      reporting.start(system, storage, blocking, clock, settings);
    }
    return reporting;
  }

  private static AuditLog audit(
      ActorSystem<Void> system,
      Storage storage,
      Fence fence,
      Executor blocking,
      InstantSource clock,
      DataDirectory data) {
    AuditSettings settings = AuditSettings.of(system.settings().config());
    AuditLog audit = AuditLog.open(system, storage, blocking, data.path(), settings);
    String self = Cluster.get(system).selfMember().address().toString();
    audit.through(
        ClusterSingleton.get(system)
            .init(
                SingletonActor.of(
                        Behaviors.supervise(audit.keeper(fence, clock, self))
                            .onFailure(
                                SupervisorStrategy.restartWithBackoff(
                                    RESTART_MIN, RESTART_MAX, 0.2)),
                        "audit")
                    .withSettings(ClusterSingletonSettings.create(system).withRole("tenant"))));
    return audit;
  }

  private static ClusterSecret clusterSecret(DataDirectory data) {
    try {
      return ClusterSecret.load(data.path(), System.getenv(), new SecureRandom());
    } catch (IOException | IllegalArgumentException e) {
      throw new StartFailure(
          StartFailure.DATA_DIRECTORY, "The cluster secret cannot be used: " + e.getMessage());
    }
  }

  private static void startWorker(
      ActorSystem<Void> system,
      Config config,
      String self,
      ActorRef<FairnessCoordinator.Command> coordinator,
      TenantPort tenants,
      BgeEmbedder embedder,
      ActorRef<CatalogReplica.Command> copy,
      InstantSource clock) {
    if (!Cluster.get(system).selfMember().hasRole("worker")) {
      return;
    }
    PromptRenderer renderer =
        new PromptRenderer(config.getInt("rowhouse.tenant.prompt-length-max"));
    InferenceSettings inference = InferenceSettings.of(config);
    Runs runs =
        Runs.of(
            system,
            inference,
            new KnowledgePassages(Retrieval.create(system, embedder)),
            new PromptTemplates(renderer),
            new HouseEmbedder(embedder),
            clock);
    ActorRef<dev.rowhouse.fairness.SlotOwner> worker =
        system.systemActorOf(
            InferenceWorker.create(
                self,
                clock.millis(),
                coordinator,
                runs,
                (report, replyTo) ->
                    tenants.tell(
                        report.order().tenant(), new TenantEntity.Settle(report, replyTo, null)),
                WorkerSettings.from(config),
                new EndpointHealth(inference.breaker(), new SplittableRandom())),
            "worker",
            DispatcherSelector.defaultDispatcher());
    system.receptionist().tell(Receptionist.register(InferenceWorker.KEY, worker));
    ActorRef<Catalog> catalogs =
        system.systemActorOf(
            Behaviors.receiveMessage(
                (Catalog changed) -> {
                  worker.tell(new WorkerCommand.CatalogChanged(changed));
                  return Behaviors.same();
                }),
            "worker-catalog",
            DispatcherSelector.defaultDispatcher());
    copy.tell(new CatalogReplica.Watch(catalogs));
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseServiceStop(),
            "drain-worker",
            () ->
                isDowned(system)
                    ? CompletableFuture.completedFuture(Done.getInstance())
                    : AskPattern.<dev.rowhouse.fairness.SlotOwner, Done>ask(
                        worker,
                        WorkerCommand.Drain::new,
                        WorkerSettings.from(config).drainTimeout(),
                        system.scheduler()));
  }

  /** Answers in hand finish first, then the worker, then shards and journal, in Pekko's phases. */
  private Node withOrderlyEnd() {
    CoordinatedShutdown shutdown = CoordinatedShutdown.get(system);
    Duration unready = system.settings().config().getDuration("rowhouse.http.unready-delay");
    shutdown.addTask(
        CoordinatedShutdown.PhaseBeforeServiceUnbind(),
        "not-ready",
        () -> {
          health.drain();
          return CompletableFuture.supplyAsync(
              Done::getInstance,
              CompletableFuture.delayedExecutor(
                  isDowned() ? 0 : unready.toMillis(), TimeUnit.MILLISECONDS));
        });
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceRequestsDone(),
        "drain-tenant-plane",
        () ->
            (isDowned() ? planes.drain(DOWNED_DRAIN) : planes.drain())
                .thenApply(done -> Done.getInstance()));
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceStop(),
        "close-operator-plane",
        () -> planes.closeOperatorPlane().thenApply(done -> Done.getInstance()));
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              ended.countDown();
            });
    return this;
  }

  String greeting() {
    InetSocketAddress tenantAddress = planes.tenantAddress();
    if (tenantAddress == null) {
      return "Rowhouse %s is ready, with the roles %s.\n  operator plane  %s"
          .formatted(
              version(),
              String.join(", ", system.settings().config().getStringList("pekko.cluster.roles")),
              url(planes.operatorAddress()));
    }
    String tenantPlane = url(tenantAddress);
    String operatorPlane = url(planes.operatorAddress());
    String token =
        tokenFromFile ? "$(cat '" + data.operatorTokenFile() + "')" : "$ROWHOUSE_OPERATOR_TOKEN";
    return """
    Rowhouse %s is ready.
      tenant plane    %s   console %s/console
      operator plane  %s   console %s/console
      operator token  %s
    Try next:
      curl -X PUT %s/admin/tenants/acme -H "Authorization: Bearer %s\"\
    """
        .formatted(
            version(),
            tenantPlane,
            tenantPlane,
            operatorPlane,
            operatorPlane,
            tokenFromFile ? data.operatorTokenFile() : "from ROWHOUSE_OPERATOR_TOKEN",
            operatorPlane,
            token);
  }

  private static String url(InetSocketAddress address) {
    String host = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
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
    return isDowned(system);
  }

  private static boolean isDowned(ActorSystem<?> system) {
    return CoordinatedShutdown.get(system)
        .getShutdownReason()
        .filter(CoordinatedShutdown.clusterDowningReason()::equals)
        .isPresent();
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

  private static WriteFence writeFence(Fence fence, String self, Executor blocking) {
    return new WriteFence() {
      @Override
      public CompletionStage<Long> claim(String name) {
        return fence.claim(name, self, blocking);
      }

      @Override
      public CompletionStage<Boolean> isLatest(String name, long number) {
        return fence.check(name, number, blocking);
      }
    };
  }

  /** Tenants' actors are reached as soon as this node's region knows the coordinator of shards. */
  private static void awaitSharding(ActorSystem<Void> system, Duration timeout) {
    ClusterShardingHealthCheck check = new ClusterShardingHealthCheck(system.classicSystem());
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        if (FutureConverters.asJava(check.apply()).toCompletableFuture().get()
                instanceof Boolean registered
            && registered) {
          return;
        }
      } catch (ExecutionException e) {
        throw new StartFailure(
            StartFailure.CLUSTER, "The tenants' shards do not answer: " + e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
      }
      if (System.nanoTime() > deadline) {
        throw new StartFailure(
            StartFailure.CLUSTER,
            "The tenants' shards were not to be reached within "
                + timeout.toSeconds()
                + " s. Is there a node with the role tenant in the cluster?");
      }
      pause();
    }
  }

  private static void awaitCoordinator(
      ActorSystem<Void> system,
      ActorRef<FairnessCoordinator.Command> coordinator,
      Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        AskPattern.<FairnessCoordinator.Command, FairnessCoordinator.Pong>ask(
                coordinator,
                FairnessCoordinator.Ping::new,
                Duration.ofMillis(250),
                system.scheduler())
            .toCompletableFuture()
            .get();
        return;
      } catch (ExecutionException e) {
        if (System.nanoTime() > deadline) {
          throw new StartFailure(
              StartFailure.CLUSTER,
              "No fairness coordinator answered within " + timeout.toSeconds() + " s.");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
    }
  }

  private static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
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
