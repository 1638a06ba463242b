package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.audit.AuditDraft;
import dev.rowhouse.audit.AuditEntry;
import dev.rowhouse.audit.AuditLog;
import dev.rowhouse.audit.AuditQuery;
import dev.rowhouse.audit.AuditSettings;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.serving.Refusal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.SystemMaterializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class AuditedTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("audited"));

  private static final String TOKEN = "op_secret";

  private final List<String> done = new ArrayList<>();
  private Database database;
  private AuditLog log;
  private OperatorPlane plane;

  @BeforeEach
  void open() {
    database =
        Database.open(
            ConfigFactory.parseString(
                "rowhouse.journal.jdbc { url = \"jdbc:h2:mem:"
                    // A late entry of the test before must not find the same database.
                    + UUID.randomUUID()
                    + "\", user = sa, password = \"\","
                    + " connections = 4, connection-timeout = 20s }"));
    AuditSettings settings =
        new AuditSettings(Duration.ofSeconds(30), 10, 10, Duration.ofDays(10), Duration.ofDays(1));
    log = AuditLog.open(KIT.system(), database, Runnable::run, null, settings);
    Router<Handler> router =
        new Router<Handler>()
            .on("GET", "/admin/things", "Lists.", this::answer)
            .on("PUT", "/admin/things/{id}", "Makes.", this::answer)
            .on("POST", "/admin/things/{id}/parts/{part}", "Breaks.", this::fail);
    plane =
        new OperatorPlane(
            router,
            new Router<>(),
            TOKEN,
            new Audited(log, TOKEN),
            new RefusedCalls(KIT.system(), log, InstantSource.system(), Duration.ofMillis(200)));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void write() {
    Fence fence = Fence.open(database, InstantSource.system());
    log.through(KIT.spawn(log.keeper(fence, InstantSource.system(), "test")));
  }

  private CompletionStage<HttpResponse> answer(Call call) {
    // What is done is done after the intent is in the log.
    done.add(call.method().value() + " with " + entries().size() + " entries");
    return OperatorBodies.read(
        call,
        body ->
            CompletableFuture.completedFuture(
                body.has("bad")
                    ? Replies.problem(Refusal.of(409, "conflict", "No."))
                    : Replies.json(201, Json.object().put("id", "made"))));
  }

  private CompletionStage<HttpResponse> fail(Call call) {
    return CompletableFuture.failedFuture(new IllegalStateException("broken"));
  }

  private HttpResponse call(HttpRequest request) {
    Call call =
        new Call(
            request,
            "request-1",
            List.of(request.getUri().path().substring(1).split("/", -1)),
            new Connection(),
            SystemMaterializer.get(KIT.system()).materializer(),
            0);
    return get(plane.handle(call));
  }

  private static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
  }

  private static HttpRequest with(HttpRequest request, String token) {
    return request.addHeader(RawHeader.create("Authorization", "Bearer " + token));
  }

  private static HttpRequest put(String body) {
    return with(
        HttpRequest.PUT("/admin/things/a?dry=1")
            .withEntity(ContentTypes.APPLICATION_JSON, body)
            .addHeader(RawHeader.create("X-Operator", "Ada")),
        TOKEN);
  }

  private List<AuditEntry> entries() {
    return get(log.read(new AuditQuery(0, 100, null, null, null, null, null)));
  }

  @Test
  void aChangeHasAnIntentBeforeItAndAnOutcomeBeforeItsAnswer() {
    write();
    assertEquals(
        201, call(put("{\"plan\": \"gold\", \"display_name\": \"Ada\"}")).status().intValue());
    assertEquals(List.of("PUT with 1 entries"), done);
    List<AuditEntry> entries = entries();
    assertEquals(
        List.of(AuditDraft.Kind.INTENT, AuditDraft.Kind.OUTCOME),
        entries.stream().map(AuditEntry::kind).toList());
    AuditEntry intent = entries.getFirst();
    assertEquals("PUT /admin/things/{id}", intent.action());
    assertEquals("a", intent.target());
    assertEquals("request-1", intent.requestId());
    assertEquals("Ada", intent.detail().get("operator_unverified"));
    assertEquals("plan,display_name", intent.detail().get("fields"));
    assertEquals("\"gold\"", intent.detail().get("field_plan"));
    assertEquals("dry=1", intent.detail().get("query"));
    assertEquals(64, intent.detail().getOrDefault("body_sha256", "").length());
    assertEquals("201", entries.getLast().detail().get("status"));
    assertEquals("made", entries.getLast().detail().get("id"));
    for (AuditEntry entry : entries) {
      assertTrue(entry.actor().startsWith("operator:"));
      assertFalse(entry.toString().contains(TOKEN), "the token is not in the log");
    }
  }

  @Test
  void aRefusalAndAFailureAreOutcomesToo() {
    write();
    assertEquals(409, call(put("{\"bad\": 1}")).status().intValue());
    assertEquals("409", entries().getLast().detail().get("status"));
    assertEquals("conflict", entries().getLast().detail().get("code"));
    HttpRequest broken = with(HttpRequest.POST("/admin/things/a/parts/b"), TOKEN);
    org.junit.jupiter.api.Assertions.assertThrows(RuntimeException.class, () -> call(broken));
    assertEquals("500", entries().getLast().detail().get("status"));
    assertEquals("b", entries().get(2).detail().get("path_part"));
  }

  @Test
  void nothingIsDoneThatCannotBeLogged() {
    HttpResponse refused = call(put("{}"));
    assertEquals(503, refused.status().intValue());
    assertTrue(refused.getHeader("Retry-After").isPresent());
    assertEquals(List.of(), done);
  }

  @Test
  void aReadIsNotLogged() {
    write();
    call(with(HttpRequest.GET("/admin/things"), TOKEN));
    assertEquals(List.of("GET with 0 entries"), done);
    assertEquals(List.of(), entries());
  }

  @Test
  void wrongTokensAreCountedAndLoggedTogether() {
    write();
    for (int i = 0; i < 100; i++) {
      assertEquals(
          401, call(with(HttpRequest.PUT("/admin/things/a"), "wrong" + i)).status().intValue());
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (calls() < 100) {
      assertTrue(System.nanoTime() < end, "the refused calls were not logged within 30 s");
    }
    assertEquals(100, calls());
    assertTrue(entries().size() < 100, "they are logged together");
    assertEquals(List.of(), done);
  }

  private long calls() {
    return entries().stream()
        .mapToLong(entry -> Long.parseLong(entry.detail().getOrDefault("calls", "0")))
        .sum();
  }
}
