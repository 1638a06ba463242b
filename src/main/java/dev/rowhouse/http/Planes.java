package dev.rowhouse.http;

import com.typesafe.config.Config;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.reporting.Reporting;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.serving.Answering;
import dev.rowhouse.serving.BudgetMarks;
import dev.rowhouse.serving.Idempotency;
import dev.rowhouse.serving.InHand;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.serving.Throttle;
import dev.rowhouse.serving.Workers;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.Erasure;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantDirectory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.jspecify.annotations.Nullable;

/** The two planes of a node: their routes, their addresses, their end. */
public final class Planes {
  /**
   * What the routes need of the rooms behind.
   *
   * @param answering what every request's Answering is made with
   * @param throttle what this node refuses by itself
   * @param keys what opens what tenants wrote
   * @param idempotency answers kept for requests that come again
   * @param erasure what ends a tenant
   * @param marks budgets of this node's tenants that were nearly used up
   */
  public record Parts(
      ActorSystem<?> system,
      Config config,
      InstantSource clock,
      ClusterSecret secret,
      String operatorToken,
      TenantPort tenants,
      ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> knowledge,
      ActorRef<CatalogKeeper.Command> keeper,
      CatalogReplica catalog,
      int slotsDefault,
      TenantDirectory directory,
      Reporting reporting,
      AuditLog audit,
      ActorRef<FairnessCoordinator.Command> coordinator,
      Answering.Settings answering,
      Throttle throttle,
      BudgetMarks marks,
      DataKeys keys,
      Idempotency idempotency,
      Erasure erasure,
      long fileBytesMax,
      Health health,
      Replays replays,
      ReplayHouse replayHouse) {}

  /** How often a plane that drains looks whether answers are in hand. */
  private static final Duration DRAIN_LOOK = Duration.ofMillis(50);

  /** What is left then: whole answers that are being written, and idle connections. */
  private static final Duration CONNECTIONS_END = Duration.ofSeconds(5);

  private final @Nullable ServerBinding tenantPlane;
  private final ServerBinding operatorPlane;
  private final Duration drainTimeout;
  private final InHand inHand;
  private final AtomicBoolean closing;

  private Planes(
      @Nullable ServerBinding tenantPlane,
      ServerBinding operatorPlane,
      Duration drainTimeout,
      InHand inHand,
      AtomicBoolean closing) {
    this.tenantPlane = tenantPlane;
    this.operatorPlane = operatorPlane;
    this.drainTimeout = drainTimeout;
    this.inHand = inHand;
    this.closing = closing;
  }

  /**
   * Listens on both addresses, or on the operators' alone when this node is no gateway; fails with
   * a {@code BindException} somewhere in its causes.
   */
  public static CompletionStage<Planes> open(Parts parts) {
    TokenEstimate.warmUp();
    Config http = parts.config.getConfig("rowhouse.http");
    String host = http.getString("host");
    Metrics metrics =
        new Metrics(
            new Workers(parts.system, http.getDuration("ask-timeout")),
            new PoolMetrics(parts.system, parts.coordinator),
            parts.throttle::refusedCount,
            parts.marks);
    parts.health.watch(metrics);
    ReportingRoutes.watch(metrics, parts.reporting);
    AuditRoutes.watch(metrics, parts.audit);
    Handler operatorHandler = operatorPlane(parts, http, metrics);
    AtomicBoolean closing = new AtomicBoolean();
    CompletionStage<Optional<ServerBinding>> tenantPlane =
        Cluster.get(parts.system).selfMember().hasRole("gateway")
            ? Listener.bind(
                    parts.system,
                    host,
                    http.getInt("port"),
                    parts.clock,
                    "tenant",
                    metrics,
                    tenantPlane(parts, http),
                    Replies::openAiError,
                    closing::get)
                .thenApply(Optional::of)
            : CompletableFuture.completedFuture(Optional.empty());
    return tenantPlane.thenCompose(
        tenant ->
            Listener.bind(
                    parts.system,
                    host,
                    http.getInt("operator-port"),
                    parts.clock,
                    "operator",
                    metrics,
                    operatorHandler,
                    Replies::problem,
                    () -> false)
                .thenApply(
                    operator ->
                        new Planes(
                            tenant.orElse(null),
                            operator,
                            http.getDuration("drain-timeout"),
                            parts.answering.inHand(),
                            closing)));
  }

  /** Absent: this node is no gateway. */
  public java.net.@Nullable InetSocketAddress tenantAddress() {
    return tenantPlane == null ? null : tenantPlane.localAddress();
  }

  public java.net.InetSocketAddress operatorAddress() {
    return operatorPlane.localAddress();
  }

  /** No new requests on the tenant plane; those in hand finish, within the drain time. */
  public CompletionStage<?> drain() {
    return drain(drainTimeout);
  }

  /**
   * The same, within another time. The server takes a stream for finished as soon as its headers
   * are out, and a connection that it ends is a client that has left; so connections are ended when
   * no answer is in hand any more. Until then each ends with its next answer.
   */
  public CompletionStage<?> drain(Duration atMost) {
    ServerBinding plane = tenantPlane;
    if (plane == null) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    closing.set(true);
    long end = System.nanoTime() + atMost.toNanos();
    return plane
        .unbind()
        .thenCompose(_ -> answersEnd(end))
        .thenCompose(_ -> plane.terminate(CONNECTIONS_END));
  }

  private CompletionStage<Done> answersEnd(long end) {
    boolean isOver = inHand.isEmpty() || System.nanoTime() - end >= 0;
    // What an answer said last is on its way to the connection when the answer is no longer in
    // hand.
    return CompletableFuture.supplyAsync(
            Done::getInstance,
            CompletableFuture.delayedExecutor(DRAIN_LOOK.toMillis(), TimeUnit.MILLISECONDS))
        .thenCompose(done -> isOver ? CompletableFuture.completedFuture(done) : answersEnd(end));
  }

  public CompletionStage<?> closeOperatorPlane() {
    return operatorPlane.terminate(Duration.ofSeconds(2));
  }

  private static Handler tenantPlane(Parts parts, Config http) {
    Duration askTimeout = http.getDuration("ask-timeout");
    TenantPort tenants = parts.tenants;
    KnowledgePort knowledge = new KnowledgePort(parts.system, parts.knowledge, askTimeout);
    ModelCalls modelCalls =
        new ModelCalls(
            parts.system,
            parts.answering,
            parts.throttle,
            parts.catalog,
            http.getMemorySize("body-max").toBytes(),
            http.getDuration("request-timeout"),
            new IdempotentCalls(parts.system, tenants, parts.idempotency));
    ChatRoute chat = new ChatRoute(modelCalls);
    EmbeddingRoute embeddings = new EmbeddingRoute(modelCalls);
    ModelRoutes models = new ModelRoutes(parts.catalog, parts.clock.instant().getEpochSecond());
    UsageRoutes usage = new UsageRoutes(tenants, parts.keys, parts.clock);
    FileRoutes files = new FileRoutes(knowledge, parts.fileBytesMax);
    StoreRoutes stores = new StoreRoutes(knowledge, parts.clock);
    StoreFileRoutes storeFiles = new StoreFileRoutes(knowledge, parts.clock);
    Router<TenantPlane.TenantHandler> router = new Router<>();
    router.on(
        "POST",
        "/v1/chat/completions",
        "Answers a chat, whole or as a stream.",
        (call, caller) -> chat.answer(call, caller.tenant(), caller.key()));
    router.on(
        "POST",
        "/v1/embeddings",
        "Turns texts into vectors.",
        (call, caller) -> embeddings.answer(call, caller.tenant(), caller.key()));
    on(router, tenants, Scope.INFERENCE, "GET", "/v1/models", "Lists models.", models::list);
    on(router, tenants, Scope.INFERENCE, "GET", "/v1/models/{model}", "One model.", models::get);
    Scope read = Scope.USAGE_READ;
    on(router, tenants, read, "GET", "/v1/usage", "Tokens and cost by time.", usage::usage);
    on(
        router,
        tenants,
        read,
        "GET",
        "/v1/usage/records",
        "Every record of the usage journal, as JSON or CSV.",
        usage::records);
    on(router, tenants, read, "GET", "/v1/requests", "The request log.", usage::requests);
    on(router, tenants, read, "GET", "/v1/requests/{id}", "One request.", usage::request);
    on(router, tenants, read, "GET", "/v1/limits", "Limits and what is used.", usage::limits);
    knowledgeRoutes(router, tenants, files, stores, storeFiles);
    Router<Handler> open = new Router<>();
    return planeWithDocument(
        open,
        () ->
            OpenApi.document(
                "Rowhouse, tenant plane",
                "The OpenAI surface of one tenant, known from its key.",
                "application/json",
                open.routes(),
                router.routes()),
        new TenantPlane(router, open, parts.secret, parts.health::hasMajority),
        "tenant");
  }

  private static void knowledgeRoutes(
      Router<TenantPlane.TenantHandler> router,
      TenantPort tenants,
      FileRoutes files,
      StoreRoutes stores,
      StoreFileRoutes storeFiles) {
    String file = "/v1/files/{file}";
    String store = "/v1/vector_stores/{store}";
    String storeFile = store + "/files/{file}";
    String batch = store + "/file_batches/{batch}";
    Scope scope = Scope.KNOWLEDGE;
    on(router, tenants, scope, "POST", "/v1/files", "Uploads a file.", files::upload);
    on(router, tenants, scope, "GET", "/v1/files", "Lists files.", files::list);
    on(router, tenants, scope, "GET", file, "One file.", files::get);
    on(router, tenants, scope, "DELETE", file, "Deletes a file.", files::delete);
    on(router, tenants, scope, "GET", file + "/content", "A file's bytes.", files::content);
    on(router, tenants, scope, "POST", "/v1/vector_stores", "Makes a store.", stores::create);
    on(router, tenants, scope, "GET", "/v1/vector_stores", "Lists stores.", stores::list);
    on(router, tenants, scope, "GET", store, "One store.", stores::get);
    on(router, tenants, scope, "POST", store, "Changes a store.", stores::update);
    on(router, tenants, scope, "DELETE", store, "Deletes a store.", stores::delete);
    on(router, tenants, scope, "POST", store + "/search", "Searches.", stores::search);
    on(router, tenants, scope, "POST", store + "/files", "Attaches a file.", storeFiles::attach);
    on(
        router,
        tenants,
        scope,
        "GET",
        store + "/files",
        "Lists a store's files.",
        storeFiles::files);
    on(router, tenants, scope, "GET", storeFile, "A file of a store.", storeFiles::file);
    on(router, tenants, scope, "POST", storeFile, "Sets attributes.", storeFiles::updateFile);
    on(router, tenants, scope, "DELETE", storeFile, "Detaches a file.", storeFiles::detach);
    on(
        router,
        tenants,
        scope,
        "GET",
        storeFile + "/content",
        "The parsed text of a file.",
        storeFiles::fileContent);
    on(
        router,
        tenants,
        scope,
        "POST",
        store + "/file_batches",
        "Attaches files together.",
        storeFiles::createBatch);
    on(router, tenants, scope, "GET", batch, "One batch.", storeFiles::batch);
    on(router, tenants, scope, "POST", batch + "/cancel", "Cancels it.", storeFiles::cancelBatch);
    on(router, tenants, scope, "GET", batch + "/files", "A batch's files.", storeFiles::batchFiles);
  }

  private static Handler operatorPlane(Parts parts, Config http, Metrics metrics) {
    Duration askTimeout = http.getDuration("ask-timeout");
    TenantCalls calls = new TenantCalls(parts.tenants);
    KeyAdmin keys = new KeyAdmin(calls, parts.secret, parts.clock);
    Reservations reservations =
        new Reservations(parts.system, parts.keeper, parts.tenants, askTimeout);
    Offboarding offboarding = new Offboarding(calls, parts.tenants, reservations, parts.erasure);
    offboarding.resume(parts.system);
    TenantAdmin tenants = new TenantAdmin(calls, reservations, parts.catalog, parts.secret);
    CatalogAdmin catalog =
        new CatalogAdmin(parts.system, parts.keeper, parts.catalog, parts.slotsDefault, askTimeout);
    ClusterAdmin cluster =
        new ClusterAdmin(parts.system, parts.coordinator, parts.health::hasMajority, askTimeout);
    DirectoryAdmin directory = new DirectoryAdmin(parts.directory);
    ReplayAdmin replays = new ReplayAdmin(parts.replays, parts.replayHouse);
    String tenant = "/admin/tenants/{id}";
    Router<Handler> router =
        new Router<Handler>()
            .on("GET", "/admin/tenants", "Lists tenants.", directory::list)
            .on("PUT", tenant, "Onboards a tenant, or replaces its settings.", tenants::put)
            .on("GET", tenant, "One tenant.", tenants::get)
            .on("PATCH", tenant, "Changes settings (RFC 7396).", tenants::patch)
            .on(
                "DELETE",
                tenant,
                "Offboards a tenant and erases what it knew.",
                offboarding::delete)
            .on("POST", tenant + "/suspend", "Refuses its requests.", tenants::suspend)
            .on("POST", tenant + "/resume", "Takes its requests again.", tenants::resume)
            .on("GET", tenant + "/keys", "Lists keys.", keys::list)
            .on("POST", tenant + "/keys", "Makes a key.", keys::create)
            .on("PATCH", tenant + "/keys/{key}", "Changes a key's name or limits.", keys::patch)
            .on("DELETE", tenant + "/keys/{key}", "Revokes a key.", keys::revoke)
            .on("POST", tenant + "/keys/{key}/rotate", "Replaces a key.", keys::rotate)
            .on("GET", "/admin/erasure-key", "Verifies erasure reports.", offboarding::key)
            .on("GET", "/admin/plans", "Lists plans.", catalog::plans)
            .on("GET", "/admin/plans/{plan}", "One plan.", catalog::plan)
            .on("PUT", "/admin/plans/{plan}", "Makes or replaces a plan.", catalog::putPlan)
            .on("DELETE", "/admin/plans/{plan}", "Deletes a plan.", catalog::deletePlan)
            .on("GET", "/admin/models", "Lists models.", catalog::models)
            .on("GET", "/admin/models/{model}", "One model.", catalog::model)
            .on("PUT", "/admin/models/{model}", "Makes or replaces a model.", catalog::putModel)
            .on("DELETE", "/admin/models/{model}", "Deletes a model.", catalog::deleteModel)
            .on("GET", "/metrics", "What the node counts, for Prometheus.", metrics::page)
            .on(
                "GET",
                "/admin/cluster",
                "Members, roles, workers and the health of their models.",
                cluster::cluster)
            .on("GET", "/admin/fairness", "Slots, queues and shares.", cluster::fairness)
            .on(
                "POST",
                "/admin/replay",
                "Computes figures again from the journal: totals, prices, what-ifs, exports.",
                replays::replay);
    ReportingRoutes.add(router, parts.reporting, parts.directory, parts.clock);
    AuditRoutes.add(router, parts.audit, parts.reporting.chains());
    Router<Handler> open =
        new Router<Handler>()
            .on("GET", "/alive", "Whether the process answers.", parts.health::alive)
            .on("GET", "/ready", "Whether the node serves.", parts.health::ready);
    return planeWithDocument(
        open,
        () ->
            OpenApi.document(
                "Rowhouse, operator plane",
                "Tenants, keys, plans, models, capacity. Errors are RFC 9457 problems.",
                "application/problem+json",
                open.routes(),
                router.routes()),
        new OperatorPlane(
            router,
            open,
            parts.operatorToken,
            new Audited(parts.audit, parts.operatorToken),
            new RefusedCalls(
                parts.system,
                parts.audit,
                parts.clock,
                parts.config.getDuration("rowhouse.audit.refused-window"))),
        "operator");
  }

  private static Handler planeWithDocument(
      Router<Handler> open,
      java.util.function.Supplier<com.fasterxml.jackson.databind.JsonNode> document,
      Handler plane,
      String console) {
    open.on(
        "GET",
        "/openapi.json",
        "This document.",
        call -> CompletableFuture.completedFuture(Replies.json(200, document.get())));
    open.on("GET", "/console", "The console.", call -> Console.page(console));
    return plane;
  }

  private static void on(
      Router<TenantPlane.TenantHandler> router,
      TenantPort tenants,
      Scope scope,
      String method,
      String pattern,
      String summary,
      TenantPlane.AuthorizedHandler handler) {
    router.on(method, pattern, summary, TenantPlane.authorized(tenants, scope, handler));
  }
}
