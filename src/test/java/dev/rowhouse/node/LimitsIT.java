package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each limit holds, says which one it is, and leaves the neighbours alone. */
class LimitsIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static NodeProcess node;
  private static FakeUpstream upstream;

  @BeforeAll
  static void start(@TempDir Path directory) {
    upstream =
        FakeUpstream.start()
            .on("fast", Behaviour.of(5, 0))
            .on("long", Behaviour.of(500, 0).usage(UsagePolicy.ALWAYS));
    node = NodeProcess.started(directory);
    node.operator().addModel("fast", upstream.baseUrl(), 16);
    node.operator().addModel("long", upstream.baseUrl(), 16);
    node.operator().addModel("slow", upstream.baseUrl(), 16);
    node.operator().addModel("narrow", upstream.baseUrl(), 1);
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  @Test
  void requestsPerMinute() {
    TenantClient tenant = tenantWith("rpm", "\"requests_per_minute\": 3");
    for (int sent = 1; sent <= 3; sent++) {
      Reply reply = tenant.chat("fast", "Hello?").expect(200);
      assertEquals("3", reply.header("x-ratelimit-limit-requests"));
      assertEquals(Integer.toString(3 - sent), reply.header("x-ratelimit-remaining-requests"));
    }
    Reply refused = tenant.chat("fast", "Hello?").expect(429);
    assertEquals("rate_limit_exceeded", refused.errorCode());
    assertEquals("0", refused.header("x-ratelimit-remaining-requests"));
    assertFalse(refused.header("x-ratelimit-reset-requests").isBlank(), refused.body());
    assertTrue(Integer.parseInt(refused.header("retry-after")) >= 1, "retry-after");
    assertTrue(Long.parseLong(refused.header("retry-after-ms")) >= 1, "retry-after-ms");
    assertTrue(refused.json().at("/error/message").asText().contains("3"), refused.body());
    assertFalse(refused.requestId().isBlank(), "a refusal has an id too");
  }

  @Test
  void aRefusedStreamIsAPlain429() {
    TenantClient tenant = tenantWith("rpm-stream", "\"requests_per_minute\": 1");
    tenant.chat("fast", "Hello?").expect(200);
    TenantClient.Stream refused = tenant.stream(TenantClient.chatBody("fast", "Hello?", true));
    assertEquals(429, refused.status());
    assertFalse(refused.done(), "no [DONE] after a refusal");
  }

  @Test
  void aNeighboursLimitIsNotMine() {
    TenantClient spent = tenantWith("spent", "\"requests_per_minute\": 1");
    spent.chat("fast", "Hello?").expect(200);
    spent.chat("fast", "Hello?").expect(429);
    node.tenant(node.operator().onboard("neighbour")).chat("fast", "Hello?").expect(200);
  }

  @Test
  void tokensPerMinute() {
    TenantClient tenant = tenantWith("tpm", "\"tokens_per_minute\": 300");
    String body =
        """
        {"model": "fast", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello?"}]}\
        """;
    int admitted = 0;
    Reply reply = tenant.post("/v1/chat/completions", body);
    while (reply.status() == 200) {
      assertEquals("300", reply.header("x-ratelimit-limit-tokens"));
      admitted++;
      assertTrue(admitted < 40, "40 requests of 16 tokens fit into 300?");
      reply = tenant.post("/v1/chat/completions", body);
    }
    reply.expect(429);
    assertEquals("tokens_exceeded", reply.errorCode());
    assertTrue(Integer.parseInt(reply.header("retry-after")) >= 1, "retry-after");
    assertTrue(admitted >= 5, "only " + admitted + " were admitted, so estimates were not settled");
  }

  @Test
  void concurrentRequests() throws Exception {
    TenantClient tenant = tenantWith("concurrent", "\"concurrent_requests\": 2");
    int before = upstream.running();
    upstream.hold("slow");
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Reply> first = clients.submit(() -> tenant.chat("slow", "Hello?"));
      Future<Reply> second = clients.submit(() -> tenant.chat("slow", "Hello?"));
      Await.until("two run", PATIENCE, () -> upstream.running() - before == 2);
      Reply third = tenant.chat("slow", "Hello?").expect(429);
      assertEquals("concurrency_exceeded", third.errorCode());
      assertFalse(third.header("retry-after").isBlank(), "retry-after");
      upstream.letGo("slow");
      first.get().expect(200);
      second.get().expect(200);
    }
    tenant.chat("fast", "Hello?").expect(200);
  }

  @Test
  void queueLength() throws Exception {
    TenantClient tenant = tenantWith("queues", "\"concurrent_requests\": 10, \"queue_length\": 1");
    int before = upstream.running();
    upstream.hold("narrow");
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Reply>> accepted = new ArrayList<>();
      accepted.add(clients.submit(() -> tenant.chat("narrow", "Hello?")));
      Await.until("one runs", PATIENCE, () -> upstream.running() - before == 1);
      accepted.add(clients.submit(() -> tenant.chat("narrow", "Hello?")));
      Await.until("one waits", PATIENCE, () -> waitingFor("narrow") == 1);
      Reply third = tenant.chat("narrow", "Hello?").expect(429);
      assertEquals("queue_full", third.errorCode());
      assertFalse(third.header("retry-after").isBlank(), "retry-after");
      upstream.letGo("narrow");
      accepted.get(0).get().expect(200);
      Reply waited = accepted.get(1).get();
      assertTrue(Set.of(200, 503).contains(waited.status()), waited.body());
    }
  }

  @Test
  void tokensPerMonth() {
    TenantClient tenant = tenantWith("monthly", "\"tokens_per_month\": 2500");
    String body =
        """
        {"model": "long", "max_tokens": 500, "messages": [{"role": "user", "content": "Hello?"}]}\
        """;
    int admitted = 0;
    Reply reply = tenant.post("/v1/chat/completions", body);
    while (reply.status() == 200) {
      admitted++;
      assertTrue(admitted < 10, "ten answers of 511 tokens fit into 2500?");
      reply = tenant.post("/v1/chat/completions", body);
    }
    reply.expect(429);
    assertTrue(admitted >= 2, "only " + admitted + " were admitted");
    assertEquals("budget_exhausted", reply.errorCode());
    assertEquals("false", reply.header("x-should-retry"));
  }

  @Test
  void limitsAreToldAsTheyAreEnforced() {
    TenantClient tenant = tenantWith("told", "\"requests_per_minute\": 7");
    tenant.chat("fast", "Hello?").expect(200);
    String told = tenant.get("/v1/limits").expect(200).body();
    assertTrue(told.contains("requests_per_minute") || told.contains("requests"), told);
    assertTrue(told.contains("7") && told.contains("6"), "limit 7, remaining 6: " + told);
  }

  private static int waitingFor(String model) {
    for (JsonNode pool : node.operator().get("/admin/fairness").expect(200).json().path("pools")) {
      if (pool.path("pool").asText().equals(model)) {
        return pool.path("queue").asInt();
      }
    }
    return 0;
  }

  private static TenantClient tenantWith(String name, String limits) {
    return node.tenant(node.operator().onboard(name, "{\"limits\": {" + limits + "}}"));
  }
}
