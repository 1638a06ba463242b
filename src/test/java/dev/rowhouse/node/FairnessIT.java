package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Slots that are scarce: who gets them, who waits, and what those are told. */
class FairnessIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static NodeProcess node;
  private static FakeUpstream upstream;
  private static ExecutorService clients;

  @BeforeAll
  static void start(@TempDir Path directory) {
    clients = Executors.newVirtualThreadPerTaskExecutor();
    upstream =
        FakeUpstream.start()
            .on("ten", Behaviour.of(6_000, 100))
            .on("one", Behaviour.of(6_000, 100))
            .on("brief", Behaviour.of(10, 100))
            .on("shared", Behaviour.of(10, 20));
    node = NodeProcess.started(directory);
    addModel("ten", 10);
    addModel("one", 1);
    addModel("brief", 1);
    addModel("shared", 4);
    node.operator()
        .put(
            "/admin/plans/impatient",
            """
            {"weight": 1, "queue_timeout_ms": 3000,
             "limits": {"requests_per_minute": 10000, "tokens_per_minute": 10000000,
                        "concurrent_requests": 100, "queue_length": 100}}\
            """);
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
    clients.shutdownNow();
  }

  private static void addModel(String name, int slots) {
    Reply reply =
        node.operator()
            .put(
                "/admin/models/" + name,
                """
                {"engine": "openai", "base_url": "%s", "slots": %d, "estimator": "max_tokens",
                 "price": {"input_per_million": 1, "output_per_million": 2}}\
                """
                    .formatted(upstream.baseUrl(), slots));
    assertTrue(reply.status() < 300, reply.body());
  }

  private static String body(String model, int tokensMax, boolean stream) {
    return """
    {"model": "%s", "max_tokens": %d, "stream": %s, "rowhouse": {"retrieval": false},
     "messages": [{"role": "user", "content": "Hello?"}]}\
    """
        .formatted(model, tokensMax, stream);
  }

  private static JsonNode pool(String name) {
    for (JsonNode pool : node.operator().get("/admin/fairness").expect(200).json().path("pools")) {
      if (pool.path("pool").asText().equals(name)) {
        return pool;
      }
    }
    return Reply.JSON.createObjectNode();
  }

  /** A stream that a client has open; what it reads is not of interest. */
  private static final class Open implements AutoCloseable {
    private final CompletableFuture<HttpResponse<InputStream>> response;

    Open(TenantClient tenant, String body) {
      response = CompletableFuture.supplyAsync(() -> tenant.openStream(body), clients);
    }

    InputStream stream() {
      return response.join().body();
    }

    @Override
    public void close() throws IOException {
      response.join().body().close();
    }
  }

  @Test
  void aFewSlotsAreKeptForSmallRequests() throws Exception {
    TenantClient tenant = node.tenant(node.operator().onboard("mixed"));
    List<Open> open = new ArrayList<>();
    int before = upstream.running();
    try {
      for (int large = 0; large < 11; large++) {
        open.add(new Open(tenant, body("ten", 2_000, true)));
      }
      Await.until("two large ones wait", PATIENCE, () -> pool("ten").path("queue").asInt() == 2);
      Await.until("nine run", PATIENCE, () -> upstream.running() - before == 9);
      assertEquals(2, pool("ten").path("queue").asInt());
      assertEquals(1, pool("ten").path("slots_small").asInt());
      open.add(new Open(tenant, body("ten", 5, true)));
      Await.until("the small one runs", PATIENCE, () -> upstream.running() - before == 10);
      assertEquals(2, pool("ten").path("queue").asInt());
    } finally {
      for (Open stream : open) {
        stream.close();
      }
    }
    Await.until("all is over", PATIENCE, () -> upstream.running() == before);
  }

  @Test
  void aStreamThatWaitsIsKeptAliveAndGivesItsPlaceBackWhenItsClientLeaves() throws Exception {
    TenantClient tenant = node.tenant(node.operator().onboard("waits"));
    int before = upstream.running();
    Open runs = new Open(tenant, body("one", 2_000, true));
    Await.until("one runs", PATIENCE, () -> upstream.running() - before == 1);
    Open waits = new Open(tenant, body("one", 2_000, true));
    Await.until("one waits", PATIENCE, () -> pool("one").path("queue").asInt() == 1);
    JsonNode told = pool("one").path("tenants").path(0);
    assertEquals("waits", told.path("tenant").asText());
    assertEquals(1, told.path("queue").asInt());
    assertEquals(1, told.path("held").asInt());
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(waits.stream(), StandardCharsets.UTF_8));
    assertEquals(": queued", lines.readLine());
    waits.close();
    Await.until("nobody waits", PATIENCE, () -> pool("one").path("queue").asInt() == 0);
    runs.close();
    Await.until("the upstream is left", PATIENCE, () -> upstream.running() == before);
    Await.until("the slot is idle", PATIENCE, () -> runningIn("one") == 0);
  }

  private static int runningIn(String pool) {
    int running = 0;
    for (JsonNode tenant : pool(pool).path("tenants")) {
      running += tenant.path("running").asInt();
    }
    return running;
  }

  @Test
  void whatCannotBeServedInTimeIsRefusedAtOnceWithAnHonestDelay() throws Exception {
    TenantClient tenant =
        node.tenant(
            node.operator().onboard("hurried", "{\"plan\": \"impatient\", \"limits\": {}}"));
    // Two runs of a second tell how fast a slot is.
    tenant.post("/v1/chat/completions", body("brief", 10, false)).expect(200);
    tenant.post("/v1/chat/completions", body("brief", 10, false)).expect(200);
    List<Reply> seen = new ArrayList<>();
    Await.until(
        "one is answered and one is refused at once",
        PATIENCE,
        () -> {
          seen.addAll(burst(tenant, 12));
          return seen.stream().anyMatch(reply -> reply.status() == 200)
              && seen.stream().anyMatch(FairnessIT::isRefusedAtOnce);
        });
    for (Reply reply : seen) {
      int status = reply.status();
      assertTrue(status == 200 || status == 503, "status " + status);
      if (isRefusedAtOnce(reply)) {
        assertTrue(Integer.parseInt(reply.header("retry-after")) >= 1, reply.body());
      }
    }
  }

  private static List<Reply> burst(TenantClient tenant, int requests) {
    List<CompletableFuture<Reply>> burst = new ArrayList<>();
    for (int request = 0; request < requests; request++) {
      burst.add(
          CompletableFuture.supplyAsync(
              () -> tenant.post("/v1/chat/completions", body("brief", 10, false)), clients));
    }
    return burst.stream().map(CompletableFuture::join).toList();
  }

  private static boolean isRefusedAtOnce(Reply reply) {
    return reply.status() == 503
        && reply.errorCode().equals("queue_timeout")
        && reply.body().contains("requests that wait before this one");
  }

  @Test
  void theOperatorSeesTermsCountersAndWaitsOfEachTenant() {
    TenantClient tenant =
        node.tenant(
            node.operator().onboard("seen", "{\"weight\": 3, \"reservation\": {\"share\": 0.25}}"));
    tenant.post("/v1/chat/completions", body("shared", 10, false)).expect(200);
    List<CompletableFuture<Reply>> burst = new ArrayList<>();
    for (int request = 0; request < 20; request++) {
      burst.add(
          CompletableFuture.supplyAsync(
              () -> tenant.post("/v1/chat/completions", body("shared", 10, false)), clients));
    }
    burst.forEach(reply -> reply.join().expect(200));
    Await.until(
        "all is settled",
        PATIENCE,
        () -> {
          JsonNode seen = pool("shared").path("tenants").path(0);
          return seen.path("counter").asDouble() + seen.path("served_reserved").asDouble() > 0;
        });
    JsonNode pool = pool("shared");
    assertTrue(pool.path("epoch").asLong() >= 1, pool.toString());
    assertTrue(pool.path("cost_per_second").asDouble() > 0, pool.toString());
    JsonNode seen = pool.path("tenants").path(0);
    assertEquals("seen", seen.path("tenant").asText());
    assertEquals(3, seen.path("weight").asDouble());
    assertEquals(0.25, seen.path("reservation_share").asDouble());
    for (String field :
        List.of("entitlement", "share", "queue", "oldest_wait_ms", "mean_wait_ms", "held")) {
      assertTrue(seen.has(field), field + " is missing: " + seen);
    }
  }
}
