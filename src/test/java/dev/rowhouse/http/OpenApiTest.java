package dev.rowhouse.http;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.audit.AuditSettings;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.replay.ReplayReader;
import dev.rowhouse.replay.ReplaySettings;
import dev.rowhouse.replay.Replays;
import dev.rowhouse.reporting.Reconciliation;
import dev.rowhouse.reporting.Reporting;
import dev.rowhouse.reporting.ReportingSettings;
import dev.rowhouse.reporting.Witness;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.serving.Answering;
import dev.rowhouse.serving.BudgetMarks;
import dev.rowhouse.serving.Idempotency;
import dev.rowhouse.serving.IdempotencySettings;
import dev.rowhouse.serving.InHand;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.serving.Throttle;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.Erasure;
import dev.rowhouse.tenant.FieldError;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.ModelReader;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.PlanReader;
import dev.rowhouse.tenant.RecordReader;
import dev.rowhouse.tenant.SigningKey;
import dev.rowhouse.tenant.TenantDirectory;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantSealing;
import dev.rowhouse.tenant.TenantSpecReader;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.LedgerSettings;
import dev.rowhouse.usage.UsageJournal;
import dev.rowhouse.usage.UsageLedger;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The documents of both planes, asked of the planes themselves. */
class OpenApiTest {
  private static final Pattern PARAMETER = Pattern.compile("\\{([^}]+)}");
  private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");

  private static final ReplaySettings REPLAY_SETTINGS =
      ReplaySettings.of(ConfigFactory.parseResources("replay.conf").resolve());

  /** The planes ask what this node does, and who is in its cluster: nobody. */
  private static final String ALONE =
      """
      pekko { actor.provider = cluster, cluster.roles = ["gateway"] }
      pekko.remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
      pekko.coordinated-shutdown.exit-jvm = off
      """;

  @RegisterExtension
  static final SharedKit KIT =
      new SharedKit(
          () ->
              ActorTestKit.create(
                  ConfigFactory.parseString(ALONE).withFallback(ConfigFactory.load())));

  private static JsonNode tenant = Json.object();
  private static JsonNode operator = Json.object();

  @BeforeAll
  static void askThePlanes() throws Exception {
    try (Database database = Database.open(databaseConfig())) {
      Planes planes = Planes.open(parts(database)).toCompletableFuture().get(60, TimeUnit.SECONDS);
      tenant = document(requireNonNull(planes.tenantAddress()));
      operator = document(planes.operatorAddress());
    }
  }

  @Test
  void hasTheShapeOfThreeOne() {
    for (JsonNode document : List.of(tenant, operator)) {
      assertEquals("3.1.0", document.path("openapi").asText());
      assertFalse(document.path("info").path("title").asText().isBlank());
      assertFalse(document.path("info").path("version").asText().isBlank());
      assertTrue(document.path("paths").isObject());
      assertEquals("bearer", document.at("/components/securitySchemes/bearer/scheme").asText());
    }
  }

  @Test
  void namesEachOperationOnce() {
    for (JsonNode document : List.of(tenant, operator)) {
      Set<String> seen = new HashSet<>();
      document
          .path("paths")
          .forEach(
              path ->
                  path.forEach(
                      operation -> {
                        String id = operation.path("operationId").asText();
                        assertTrue(id.matches("[a-z][A-Za-z0-9]+"), id);
                        assertTrue(seen.add(id), id + " is there twice");
                      }));
      assertTrue(seen.size() > 10);
    }
  }

  @Test
  void declaresEveryParameterOfAPathAndAResponse() {
    for (JsonNode document : List.of(tenant, operator)) {
      document
          .path("paths")
          .properties()
          .forEach(
              path ->
                  path.getValue()
                      .properties()
                      .forEach(
                          operation -> {
                            assertTrue(METHODS.contains(operation.getKey()), operation.getKey());
                            assertParameters(path.getKey(), operation.getValue());
                            assertTrue(operation.getValue().at("/responses/2XX").isObject());
                          }));
    }
  }

  @Test
  void theFieldsOfBodiesAreThoseThatTheReadersKnow() {
    ObjectNode model = allFields("PUT", "/admin/models/{model}");
    assertNoUnknownField(ModelReader.read("m", model, 1));
    assertNoUnknownField(PlanReader.read("p", allFields("PUT", "/admin/plans/{plan}")));
    ObjectNode settings = allFields("PATCH", "/admin/tenants/{id}");
    TenantId acme = new TenantId("acme");
    assertNoUnknownField(TenantSpecReader.read(settings, acme, Catalog.EMPTY));
    Patience patience = new Patience(300_000, null);
    assertNoUnknownField(ChatBody.read(allFields("POST", "/v1/chat/completions"), patience));
    assertNoUnknownField(EmbeddingBody.read(allFields("POST", "/v1/embeddings"), patience));
    assertTrue(settings.has("reservation") && model.has("estimator"));
    assertTrue(
        tenant
            .at(
                "/paths/~1v1~1chat~1completions/post/requestBody/content/application~1json/schema"
                    + "/properties/rowhouse/properties/deadline_ms")
            .isObject());
    for (String name : List.of("Limits", "DeadlineMillis")) {
      assertTrue(operator.at("/components/schemas/" + name).isObject(), name);
    }
  }

  @Test
  void eachFieldOfAReplayIsKnownToOneKindOfIt() {
    ObjectNode all = allFields("POST", "/admin/replay");
    all.fieldNames()
        .forEachRemaining(
            field ->
                assertTrue(
                    Stream.of("totals", "price", "what_if", "export")
                        .anyMatch(what -> isKnown(what, field)),
                    field));
  }

  private static boolean isKnown(String what, String field) {
    ObjectNode body = Json.object();
    body.putNull(field);
    body.put("what", what);
    return !(ReplayReader.read(body, REPLAY_SETTINGS) instanceof Checked.Bad<?> bad)
        || bad.errors().stream().noneMatch(error -> error.message().contains("not a known field"));
  }

  /** A body with each field of the schema, and each field of its objects, all null. */
  private static ObjectNode allFields(String method, String pattern) {
    ObjectNode schema = RequestBodies.schema(method, pattern);
    assertNotNull(schema, method + " " + pattern);
    return allFields(schema);
  }

  private static ObjectNode allFields(JsonNode schema) {
    ObjectNode body = Json.object();
    schema
        .path("properties")
        .properties()
        .forEach(
            property -> {
              boolean isObject = property.getValue().has("properties");
              body.set(property.getKey(), isObject ? allFields(property.getValue()) : null);
            });
    return body;
  }

  private static void assertNoUnknownField(Checked<?> read) {
    if (read instanceof Checked.Bad<?> bad) {
      for (FieldError error : bad.errors()) {
        assertFalse(error.message().contains("not a known field"), error.toString());
      }
    }
  }

  @Test
  void saysWhatIsOpenAndWhatNeedsAKey() {
    assertTrue(tenant.at("/paths/~1v1~1chat~1completions/post/security/0/bearer").isArray());
    assertTrue(operator.at("/paths/~1admin~1tenants/get/security/0/bearer").isArray());
    assertTrue(operator.at("/paths/~1alive/get/security").isMissingNode());
    assertTrue(tenant.at("/paths/~1openapi.json/get/security").isMissingNode());
  }

  @Test
  void keepsThePlanesApart() {
    assertTrue(tenant.at("/paths/~1admin~1tenants").isMissingNode());
    assertTrue(operator.at("/paths/~1v1~1chat~1completions").isMissingNode());
  }

  private static void assertParameters(String pattern, JsonNode operation) {
    Set<String> inPath = new HashSet<>();
    Matcher matcher = PARAMETER.matcher(pattern);
    while (matcher.find()) {
      inPath.add(matcher.group(1));
    }
    Set<String> declared = new HashSet<>();
    for (JsonNode parameter : operation.path("parameters")) {
      if (parameter.path("in").asText().equals("header")) {
        assertEquals("Idempotency-Key", parameter.path("name").asText());
        continue;
      }
      assertEquals("path", parameter.path("in").asText());
      assertTrue(parameter.path("required").asBoolean());
      declared.add(parameter.path("name").asText());
    }
    assertEquals(inPath, declared, pattern);
  }

  private static JsonNode document(InetSocketAddress address) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + address.getPort() + "/openapi.json");
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<byte[]> answer =
          client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray());
      assertEquals(200, answer.statusCode());
      return Json.MAPPER.readTree(answer.body());
    }
  }

  private static Config databaseConfig() {
    return ConfigFactory.parseString(
        "rowhouse.journal.jdbc { url = \"jdbc:h2:mem:openapi\", user = sa, password = \"\","
            + " connections = 1, connection-timeout = 5s }");
  }

  private static Config auditConfig() {
    return ConfigFactory.parseResources("audit.conf").resolve();
  }

  private static Reporting reporting(Database database) {
    Config config =
        ConfigFactory.parseResources("reporting.conf")
            .withFallback(ConfigFactory.parseResources("usage.conf"))
            .withFallback(auditConfig())
            .resolve();
    return Reporting.of(
        KIT.system(),
        database,
        Fence.open(database, InstantSource.system()),
        Runnable::run,
        InstantSource.system(),
        ReportingSettings.of(config),
        LedgerSettings.of(config),
        new Witness() {
          @Override
          public CompletionStage<?> anchor(Map<String, String> heads) {
            return CompletableFuture.completedFuture(0);
          }

          @Override
          public void alarm(Reconciliation.Outcome outcome) {}
        });
  }

  private static Planes.Parts parts(Database database) {
    Config config =
        ConfigFactory.parseString(
                "rowhouse.http { port = 0, operator-port = 0, host = \"127.0.0.1\" }")
            .withFallback(ConfigFactory.parseResources("http.conf"))
            .withFallback(auditConfig())
            .resolve();
    TenantPort tenants =
        new TenantPort(
            KIT.system(),
            KIT.<ShardingEnvelope<TenantEntity.Command>>createTestProbe().ref(),
            Duration.ofSeconds(1));
    ClusterSecret secret = ClusterSecret.of("a secret of the tests, long enough");
    DataKeys keys = KeysFixture.keys(database, Runnable::run);
    return new Planes.Parts(
        KIT.system(),
        config,
        InstantSource.system(),
        secret,
        "operator-token",
        tenants,
        KIT.<ShardingEnvelope<KnowledgeEntity.Command>>createTestProbe().ref(),
        KIT.<CatalogKeeper.Command>createTestProbe().ref(),
        new CatalogReplica(Catalog.EMPTY),
        4,
        new TenantDirectory(
            database, Runnable::run, "standard", keys, new TenantSealing(KIT.system())),
        reporting(database),
        AuditLog.open(KIT.system(), database, Runnable::run, null, AuditSettings.of(auditConfig())),
        KIT.<FairnessCoordinator.Command>createTestProbe().ref(),
        new Answering.Settings(
            tenants,
            InstantSource.system(),
            1_000,
            1_000,
            KIT.<Throttle.Notice>createTestProbe().ref(),
            new InHand(),
            () -> true,
            new java.util.Random(1)),
        Throttle.of(ConfigFactory.parseResources("serving.conf").resolve()),
        new BudgetMarks(),
        keys,
        new Idempotency(
            database,
            keys,
            secret,
            InstantSource.system(),
            Runnable::run,
            IdempotencySettings.of(ConfigFactory.parseResources("idempotency.conf").resolve()),
            "this node",
            _ -> true),
        new Erasure(
            database,
            keys,
            SigningKey.of(keys),
            List.of(),
            InstantSource.system(),
            Runnable::run,
            Duration.ofHours(1)),
        1_000,
        new Health(),
        replays(database),
        new NoHouse());
  }

  private static Replays replays(Database database) {
    LedgerSettings ledgers =
        LedgerSettings.of(
            ConfigFactory.parseString(
                    "rowhouse.usage { read-journal = pekko.persistence.testkit.query,"
                        + " blocking-dispatcher = pekko.actor.default-blocking-io-dispatcher }")
                .withFallback(ConfigFactory.parseResources("usage.conf"))
                .resolve());
    return new Replays(
        KIT.system(),
        new UsageJournal(
            KIT.system(), Fence.open(database, InstantSource.system()), ledgers, 1_000),
        new RecordReader(KIT.system(), ledgers.readJournal()),
        REPLAY_SETTINGS,
        FairnessSettings.from(ConfigFactory.parseResources("fairness.conf").resolve()),
        InstantSource.system());
  }

  /** The documents are asked for; no replay is. */
  private record NoHouse() implements ReplayHouse {
    @Override
    public CompletionStage<LedgerReply.Cut> cut(
        TenantId tenant, UsageLedger.@Nullable Buckets buckets) {
      throw new AssertionError("no replay was begun");
    }

    @Override
    public Catalog catalog() {
      return Catalog.EMPTY;
    }

    @Override
    public Plan plan(String name) {
      throw new AssertionError("no replay was begun");
    }

    @Override
    public int workers() {
      return 0;
    }

    @Override
    public String ledger() {
      return "none";
    }
  }
}
