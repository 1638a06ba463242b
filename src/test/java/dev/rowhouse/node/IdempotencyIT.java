package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that comes again under its Idempotency-Key, over real HTTP. */
@Timeout(300)
class IdempotencyIT {
  private static final String CHAT = "/v1/chat/completions";
  private static final FakeUpstream UPSTREAM = FakeUpstream.start();

  @TempDir private static Path directory = Path.of(".");
  private static NodeProcess node = NodeProcess.in(Path.of("."));

  @BeforeAll
  static void start() {
    UPSTREAM.on("quick", Behaviour.of(6, 0));
    UPSTREAM.on("slow", Behaviour.of(40, 50));
    UPSTREAM.on("broken", Behaviour.of(1, 0).failingWith(500));
    UPSTREAM.on("long", Behaviour.of(200_000, 0));
    node = NodeProcess.started(directory);
    for (String model : List.of("quick", "slow", "broken", "long")) {
      node.operator().addModel(model, UPSTREAM.baseUrl(), 8);
    }
  }

  @AfterAll
  static void stop() {
    node.close();
    UPSTREAM.close();
  }

  @Test
  void theSameRequestAgainGetsTheFirstAnswerAndCostsNothing() {
    TenantClient tenant = tenant("same");
    Reply first = chat(tenant, "key-1", "quick", "Hello?").expect(200);
    assertEquals("", first.header("idempotent-replayed"));
    Reply again = chat(tenant, "key-1", "quick", "Hello?").expect(200);
    assertEquals("true", again.header("idempotent-replayed"));
    assertEquals(first.body(), again.body());
    assertEquals(first.requestId(), again.header("idempotent-original-request-id"));
    assertNotEquals(first.requestId(), again.requestId());
    assertFalse(again.header("x-ratelimit-remaining-requests").isEmpty());
    assertEquals(1, tenant.usageRecords().size());
    Reply other = chat(tenant, "key-2", "quick", "Hello?").expect(200);
    assertEquals("", other.header("idempotent-replayed"));
    assertEquals(2, tenant.usageRecords().size());
  }

  @Test
  void anotherBodyIsAConflictThatNoSdkTriesAgain() {
    TenantClient tenant = tenant("conflict");
    chat(tenant, "key-1", "quick", "Hello?").expect(200);
    Reply conflict = chat(tenant, "key-1", "quick", "Goodbye?").expect(409);
    assertEquals("idempotency_key_reused", conflict.errorCode());
    assertEquals("Idempotency-Key", conflict.errorParam());
    assertEquals("false", conflict.header("x-should-retry"));
    assertEquals(1, tenant.usageRecords().size());
  }

  @Test
  void aKeyIsOneTenantsOwn() {
    Reply one = chat(tenant("mine"), "shared", "quick", "Hello?").expect(200);
    Reply other = chat(tenant("yours"), "shared", "quick", "Other?").expect(200);
    assertEquals("", other.header("idempotent-replayed"));
    assertNotEquals(one.requestId(), other.requestId());
  }

  @Test
  void aStreamIsReplayedAsAStream() throws IOException {
    TenantClient tenant = tenant("streams");
    Reply first = stream(tenant, "key-1").expect(200);
    Reply again = stream(tenant, "key-1").expect(200);
    assertEquals("true", again.header("idempotent-replayed"));
    assertEquals(first.body(), again.body());
    assertTrue(again.body().endsWith("data: [DONE]\n\n"), again.body());
    assertTrue(again.header("content-type").startsWith("text/event-stream"));
    assertEquals(1, tenant.usageRecords().size());
  }

  @Test
  void embeddingsAreReplayed() {
    TenantClient tenant = tenant("embeds");
    String body = "{\"model\": \"bge-small-en-v1.5\", \"input\": \"forty days\"}";
    Reply first = post(tenant, "/v1/embeddings", "key-1", body).expect(200);
    Reply again = post(tenant, "/v1/embeddings", "key-1", body).expect(200);
    assertEquals("true", again.header("idempotent-replayed"));
    assertEquals(first.body(), again.body());
    assertEquals(1, tenant.usageRecords().size());
  }

  @Test
  void ofManyAtOnceOneRunsAndTheOthersWaitForItsAnswer() throws Exception {
    TenantClient tenant = tenant("crowd");
    int before = UPSTREAM.calls();
    List<Reply> replies = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<Reply>> asked = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        asked.add(threads.submit(() -> chat(tenant, "key-1", "slow", "Hello?")));
      }
      for (Future<Reply> reply : asked) {
        replies.add(reply.get());
      }
    }
    replies.forEach(reply -> reply.expect(200));
    assertEquals(1, replies.stream().map(Reply::body).distinct().count());
    assertEquals(
        5, replies.stream().filter(r -> r.header("idempotent-replayed").equals("true")).count());
    assertEquals(1, UPSTREAM.calls() - before);
    assertEquals(1, tenant.usageRecords().size());
  }

  @Test
  void aFailureThatMayPassLetsTheKeyGo() {
    TenantClient tenant = tenant("fails");
    Reply failed = chat(tenant, "key-1", "broken", "Hello?");
    assertTrue(failed.status() >= 500, failed.body());
    int calls = UPSTREAM.calls();
    Reply again = chat(tenant, "key-1", "broken", "Hello?");
    assertEquals("", again.header("idempotent-replayed"));
    assertTrue(UPSTREAM.calls() > calls, "it ran again");
  }

  @Test
  void aRefusedLimitLetsTheKeyGo() {
    String key = node.operator().onboard("limited", "{\"limits\": {\"concurrent_requests\": 0}}");
    TenantClient tenant = node.tenant(key);
    chat(tenant, "key-1", "quick", "Hello?").expect(429);
    node.operator()
        .patch("/admin/tenants/limited", "{\"limits\": {\"concurrent_requests\": 5}}")
        .expect(200);
    Await.until(
        "the limit is lifted on the gateway",
        Duration.ofSeconds(20),
        () -> chat(tenant, "key-1", "quick", "Hello?").status() == 200);
    assertEquals("true", chat(tenant, "key-1", "quick", "Hello?").header("idempotent-replayed"));
  }

  @Test
  void aRevokedKeySeesNoKeptAnswer() {
    TenantClient tenant = tenant("revoked");
    chat(tenant, "key-1", "quick", "Hello?").expect(200);
    String id = node.operator().get("/admin/tenants/revoked/keys").json().at("/data/0/id").asText();
    node.operator().delete("/admin/tenants/revoked/keys/" + id).expect(200);
    assertEquals(
        "invalid_api_key", chat(tenant, "key-1", "quick", "Hello?").expect(401).errorCode());
  }

  @Test
  void anAnswerThatIsTooLongIsDeliveredAndItsRepetitionToldSo() {
    TenantClient tenant = tenant("long");
    Reply first = chat(tenant, "key-1", "long", "Hello?").expect(200);
    assertTrue(first.body().length() > 600_000, "only " + first.body().length());
    Reply again = chat(tenant, "key-1", "long", "Hello?").expect(409);
    assertEquals("idempotency_answer_not_kept", again.errorCode());
    assertEquals("false", again.header("x-should-retry"));
    assertTrue(again.body().contains(first.requestId()), again.body());
    assertEquals(1, tenant.usageRecords().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {" ", "LONG"})
  void aBadKeyIsNamed(String key) {
    TenantClient tenant = tenant("bad");
    String sent = key.equals("LONG") ? "k".repeat(256) : key;
    Reply refused = chat(tenant, sent, "quick", "Hello?").expect(400);
    assertEquals("Idempotency-Key", refused.errorParam());
    chat(tenant, "k".repeat(255), "quick", "Hello?").expect(200);
  }

  @Test
  void anAnswerOutlivesAKillAndAKilledRequestRunsAgain(@TempDir Path own) throws Exception {
    try (NodeProcess mine = NodeProcess.started(own)) {
      mine.operator().addModel("quick", UPSTREAM.baseUrl(), 8);
      mine.operator().addModel("slow", UPSTREAM.baseUrl(), 8);
      TenantClient tenant = mine.tenant(mine.operator().onboard("killed"));
      Reply first = chat(tenant, "key-1", "quick", "Hello?").expect(200);
      int calls = UPSTREAM.calls();
      try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
        Future<?> cut =
            threads.submit(
                () ->
                    assertTrue(
                        isCut(tenant, "key-2"), "the answer came although its node was killed"));
        Await.until(
            "the second request runs", Duration.ofSeconds(20), () -> UPSTREAM.calls() > calls);
        mine.kill9();
        cut.get();
      }
      mine.start().awaitReady();
      Reply again = chat(tenant, "key-1", "quick", "Hello?").expect(200);
      assertEquals("true", again.header("idempotent-replayed"));
      assertEquals(first.body(), again.body());
      // Its node is gone, and with it the claim: nobody waits for it.
      Reply second = chat(tenant, "key-2", "slow", "Hello?").expect(200);
      assertEquals("", second.header("idempotent-replayed"));
    }
  }

  private static boolean isCut(TenantClient tenant, String key) {
    try {
      ApiClient.sendOrThrow(
          tenant.request(
              "POST",
              CHAT,
              BodyPublishers.ofString(TenantClient.chatBody("slow", "Hello?", false)),
              Map.of("content-type", "application/json", "Idempotency-Key", key),
              ApiClient.DEADLINE));
      return false;
    } catch (IOException expected) {
      return true;
    }
  }

  private static TenantClient tenant(String name) {
    Reply there = node.operator().get("/admin/tenants/" + name);
    if (there.status() == 404) {
      return node.tenant(node.operator().onboard(name, "{\"retrieval\": {\"stores\": []}}"));
    }
    Reply made = node.operator().post("/admin/tenants/" + name + "/keys", "{\"name\": \"more\"}");
    return node.tenant(made.json().at("/key").asText());
  }

  private static Reply chat(TenantClient tenant, String key, String model, String question) {
    return post(tenant, CHAT, key, TenantClient.chatBody(model, question, false));
  }

  private static Reply stream(TenantClient tenant, String key) {
    return post(tenant, CHAT, key, TenantClient.chatBody("quick", "Hello?", true));
  }

  private static Reply post(TenantClient tenant, String path, String key, String body) {
    return tenant.send(
        "POST",
        path,
        BodyPublishers.ofString(body),
        Map.of("content-type", "application/json", "Idempotency-Key", key));
  }
}
