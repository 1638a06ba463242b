package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tenant beyond its limits is refused by its gateway, honestly, and not a moment too long. */
class ThrottleIT {
  private static final String MODEL = "fast";

  /** Far below the minute after which a limit would be free again by itself. */
  private static final Duration SOON = Duration.ofSeconds(20);

  private static NodeProcess node;
  private static FakeUpstream upstream;

  @BeforeAll
  static void start(@TempDir Path directory) {
    upstream = FakeUpstream.start().on(MODEL, FakeUpstream.Behaviour.of(5, 0));
    node = NodeProcess.started(directory);
    node.operator().addModel(MODEL, upstream.baseUrl(), 16);
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  @Test
  void theGatewayRefusesByItselfInTheSameWordsAndHeaders() {
    TenantClient tenant = spent("flood");
    long before = throttled();
    Reply first = tenant.chat(MODEL, "Hello?").expect(429);
    Await.until(
        "the gateway refuses by itself",
        SOON,
        () -> {
          tenant.chat(MODEL, "Hello?").expect(429);
          return throttled() > before;
        });
    Reply reply = tenant.chat(MODEL, "Hello?").expect(429);
    assertEquals("rate_limit_exceeded", reply.errorCode());
    assertEquals(first.json().at("/error/type"), reply.json().at("/error/type"));
    assertEquals("1", reply.header("x-ratelimit-limit-requests"));
    assertEquals("0", reply.header("x-ratelimit-remaining-requests"));
    assertFalse(reply.header("x-ratelimit-reset-requests").isBlank(), reply.body());
    assertTrue(reply.json().at("/error/message").asText().contains("resets in"), reply.body());
    assertTrue(
        Long.parseLong(reply.header("retry-after-ms"))
            < Long.parseLong(first.header("retry-after-ms")),
        "it counts down");
    assertFalse(reply.requestId().isBlank(), "a refusal has an id too");
  }

  @Test
  void aWrongBodyIsStillAWrongBodyAndANeighbourIsNotThrottled() {
    TenantClient tenant = throttledTenant("careless");
    tenant.post("/v1/chat/completions", "{\"model\": 7}").expect(400);
    node.tenant(node.operator().onboard("careful")).chat(MODEL, "Hello?").expect(200);
    tenant.get("/v1/limits").expect(200);
    tenant.chat(MODEL, "Hello?").expect(429);
  }

  @Test
  void aHigherLimitHoldsAtOnce() {
    TenantClient tenant = throttledTenant("raised");
    node.operator()
        .patch("/admin/tenants/raised", "{\"limits\": {\"requests_per_minute\": 100}}")
        .expect(200);
    Await.until("the new limit holds", SOON, () -> tenant.chat(MODEL, "Hi?").status() == 200);
  }

  @Test
  void aHigherLimitOfThePlanHoldsAtOnce() {
    plan(1);
    TenantClient tenant =
        node.tenant(node.operator().onboard("planned", "{\"plan\": \"tiny\", \"limits\": {}}"));
    tenant.chat(MODEL, "Hello?").expect(200);
    throttle(tenant);
    plan(100);
    Await.until("the new plan holds", SOON, () -> tenant.chat(MODEL, "Hi?").status() == 200);
  }

  @Test
  void aSuspendedTenantHearsThatItIs() {
    TenantClient tenant = throttledTenant("suspended");
    node.operator().post("/admin/tenants/suspended/suspend", "{}").expect(200);
    Await.until(
        "it is told",
        SOON,
        () -> tenant.chat(MODEL, "Hello?").errorCode().equals("tenant_suspended"));
  }

  @Test
  void whoWaitsAsLongAsItWasToldIsServed() {
    TenantClient tenant = throttledTenant("patient");
    Reply refused = tenant.chat(MODEL, "Hello?").expect(429);
    Await.pause(Duration.ofMillis(Long.parseLong(refused.header("retry-after-ms"))));
    tenant.chat(MODEL, "Hello?").expect(200);
  }

  private static void plan(int requestsPerMinute) {
    node.operator()
        .put(
            "/admin/plans/tiny",
            """
            {"limits": {"requests_per_minute": %d, "tokens_per_minute": 1000000,
              "concurrent_requests": 10, "queue_length": 10}}\
            """
                .formatted(requestsPerMinute))
        .expect(200);
  }

  /** A tenant that has used up its one request a minute. */
  private static TenantClient spent(String name) {
    TenantClient tenant =
        node.tenant(node.operator().onboard(name, "{\"limits\": {\"requests_per_minute\": 1}}"));
    tenant.chat(MODEL, "Hello?").expect(200);
    return tenant;
  }

  private static TenantClient throttledTenant(String name) {
    TenantClient tenant = spent(name);
    throttle(tenant);
    return tenant;
  }

  private static void throttle(TenantClient tenant) {
    long before = throttled();
    Await.until(
        "the gateway refuses by itself",
        SOON,
        () -> {
          tenant.chat(MODEL, "Hello?").expect(429);
          return throttled() > before;
        });
  }

  private static long throttled() {
    return node.operator()
        .get("/metrics")
        .expect(200)
        .body()
        .lines()
        .filter(line -> line.startsWith("rowhouse_throttled_total "))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }
}
