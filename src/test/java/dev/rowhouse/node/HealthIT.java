package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An upstream that goes down and comes back: its slots leave the pool and return by themselves. */
class HealthIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** A test looks at what is open while it is: so it is open for long. */
  private static final int OPEN_SECONDS = 30;

  private static final int RETRY_AFTER_SECONDS = 20;
  private static final Behaviour WELL = Behaviour.of(5, 0);
  private static final Behaviour ILL = WELL.failingWith(500);
  private static final int SLOTS = 4;

  private static NodeProcess node;
  private static FakeUpstream upstream;

  @BeforeAll
  static void start(@TempDir Path directory) {
    upstream = FakeUpstream.start();
    node =
        NodeProcess.in(directory)
            .with(
                "ROWHOUSE_JVM_OPTS",
                "-Drowhouse.inference.breaker.open-min="
                    + OPEN_SECONDS
                    + "s"
                    + " -Drowhouse.inference.breaker.open-max="
                    + OPEN_SECONDS
                    + "s"
                    + " -Drowhouse.inference.breaker.jitter-share=0")
            .start()
            .awaitReady();
    for (String model : Set.of("frail", "busy", "broken", "sound")) {
      node.operator().addModel(model, upstream.baseUrl(), SLOTS);
    }
    // A tenant that waits for half a second and no longer.
    node.operator()
        .put(
            "/admin/plans/hasty",
            """
            {"weight": 1, "queue_timeout_ms": 500, "limits": {"requests_per_minute": 60000,
             "tokens_per_minute": 50000000, "concurrent_requests": 500, "queue_length": 500}}\
            """);
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  @Test
  void anUpstreamThatFailsLosesItsSlotsAndGetsThemBackWithoutARestart() {
    TenantClient tenant = node.tenant(node.operator().onboard("acme"));
    TenantClient hasty = node.tenant(node.operator().onboard("hasty", "{\"plan\": \"hasty\"}"));
    upstream.on("frail", WELL);
    tenant.chat("frail", "Hello?").expect(200);
    long incarnation = worker().path("incarnation").asLong();
    assertEquals(SLOTS, slotsOf("frail"));

    upstream.on("frail", ILL);
    for (int failed = 0; failed < 6 && !"open".equals(stateOf("frail")); failed++) {
      int status = hasty.chat("frail", "Hello?").status();
      assertTrue(Set.of(502, 503).contains(status), "status " + status);
    }
    Await.until("the breaker opens", PATIENCE, () -> "open".equals(stateOf("frail")));
    Await.until("no slot is left in the pool", PATIENCE, () -> slotsOf("frail") == 0);
    assertTrue(
        node.operator()
            .get("/metrics")
            .expect(200)
            .body()
            .contains("rowhouse_model_endpoint_state{model=\"frail\",state="));
    int calls = upstream.calls();
    Reply refused = hasty.chat("frail", "Hello?");
    if (upstream.calls() == calls) {
      assertEquals(503, refused.status(), refused.body());
      assertFalse(refused.header("retry-after").isBlank());
    }

    upstream.on("frail", WELL);
    // Whoever waits is the probe.
    Await.until(
        "a request is answered again",
        PATIENCE,
        () -> tenant.chat("frail", "Hello?").status() == 200);
    Await.until(
        "all slots are back",
        PATIENCE,
        () ->
            tenant.chat("frail", "Hello?").status() == 200
                && slotsOf("frail") == SLOTS
                && "closed".equals(stateOf("frail")));
    assertEquals(incarnation, worker().path("incarnation").asLong());
    assertEquals(0, worker().path("restarts").asLong());
  }

  @Test
  void anUpstreamsRetryAfterIsPassedOnAndKept() {
    TenantClient tenant = node.tenant(node.operator().onboard("patient"));
    upstream.on("busy", WELL.failingWith(429).askingBackAfter(RETRY_AFTER_SECONDS));
    Reply reply = tenant.chat("busy", "Hello?").expect(503);
    assertEquals("no_capacity", reply.errorCode());
    assertEquals(Integer.toString(RETRY_AFTER_SECONDS), reply.header("retry-after"));
    assertEquals(RETRY_AFTER_SECONDS + "000", reply.header("retry-after-ms"));
    Await.until("it is left alone", PATIENCE, () -> "open".equals(stateOf("busy")));
    upstream.on("busy", WELL);
    tenant.chat("busy", "Hello?").expect(200);
  }

  @Test
  void aTenantWithAModelToFallBackToDoesNotWaitForOneThatIsIll() {
    TenantClient tenant =
        node.tenant(
            node.operator()
                .onboard("globex", "{\"models\": {\"fallbacks\": {\"broken\": [\"sound\"]}}}"));
    upstream.on("broken", ILL);
    for (int request = 0; request < 8; request++) {
      Reply reply = tenant.chat("broken", "Hello?").expect(200);
      assertEquals("sound", reply.json().path("model").asText(), reply.body());
    }
    Await.until("its slots are gone", PATIENCE, () -> slotsOf("broken") == 0);
    Reply reply = tenant.chat("broken", "Hello?").expect(200);
    assertEquals("sound", reply.json().path("model").asText(), reply.body());
  }

  private static JsonNode worker() {
    JsonNode workers = node.operator().get("/admin/cluster").expect(200).json().path("workers");
    assertEquals(1, workers.size(), workers.toString());
    return workers.get(0);
  }

  private static String stateOf(String model) {
    for (JsonNode endpoint : worker().path("endpoints")) {
      if (endpoint.path("model").asText().equals(model)) {
        return endpoint.path("state").asText();
      }
    }
    return "";
  }

  private static int slotsOf(String model) {
    JsonNode pool = MissingNode.getInstance();
    for (JsonNode one : node.operator().get("/admin/fairness").expect(200).json().path("pools")) {
      pool = one.path("pool").asText().equals(model) ? one : pool;
    }
    return pool.path("slots").asInt();
  }
}
