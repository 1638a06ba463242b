package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits of single keys, budgets in the tenant's time zone, and what a restart leaves of them. */
class QuotaIT {
  private static NodeProcess node;
  private static FakeUpstream upstream;

  @BeforeAll
  static void start(@TempDir Path directory) {
    upstream = FakeUpstream.start().on("fast", Behaviour.of(5, 0).usage(UsagePolicy.ALWAYS));
    node = NodeProcess.started(directory);
    node.operator().addModel("fast", upstream.baseUrl(), 16);
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  private static JsonNode newKey(String tenant, String body) {
    return node.operator().post("/admin/tenants/" + tenant + "/keys", body).expect(201).json();
  }

  private static TenantClient client(JsonNode key) {
    return node.tenant(key.path("key").asText());
  }

  private static String path(String tenant, JsonNode key) {
    return "/admin/tenants/" + tenant + "/keys/" + key.path("id").asText();
  }

  @Test
  void aKeysLimitIsItsOwnAndNamesIt() {
    TenantClient whole = node.tenant(node.operator().onboard("own-limit"));
    JsonNode key = newKey("own-limit", "{\"limits\": {\"requests_per_minute\": 1}}");
    assertEquals(1, key.at("/limits/requests_per_minute").asInt());
    TenantClient limited = client(key);
    Reply first = limited.chat("fast", "Hello?").expect(200);
    assertEquals("1", first.header("x-ratelimit-limit-requests"));
    assertEquals("0", first.header("x-ratelimit-remaining-requests"));
    Reply refused = limited.chat("fast", "Hello?").expect(429);
    assertTrue(
        refused.body().contains("requests_per_minute of the key " + key.path("id").asText()),
        refused.body());
    assertEquals("60000", whole.chat("fast", "Hello?").header("x-ratelimit-limit-requests"));
    JsonNode limits = limited.get("/v1/limits").expect(200).json();
    assertEquals(2, limits.at("/limits/requests_per_minute/used").asInt());
    assertEquals(1, limits.at("/key/limits/requests_per_minute/used").asInt());
    assertEquals(key.path("id"), limits.at("/key/id"));
    assertTrue(whole.get("/v1/limits").json().path("key").isMissingNode());
  }

  @Test
  void aPatchOfAKeyHasEffectAtOnceAndARotationGivesNoFreshQuota() {
    node.operator().onboard("patched");
    JsonNode key = newKey("patched", "{\"name\": \"ci\"}");
    client(key).chat("fast", "Hello?").expect(200);
    Reply changed =
        node.operator()
            .patch(path("patched", key), "{\"limits\": {\"requests_per_minute\": 1}}")
            .expect(200);
    assertEquals("ci", changed.json().path("name").asText());
    client(key).chat("fast", "Hello?").expect(429);
    JsonNode rotated =
        node.operator()
            .post(path("patched", key) + "/rotate", "{\"grace_seconds\": 60}")
            .expect(201)
            .json();
    assertEquals(1, rotated.at("/limits/requests_per_minute").asInt());
    client(rotated).chat("fast", "Hello?").expect(429);
    node.operator()
        .patch(path("patched", rotated), "{\"limits\": null, \"name\": \"ci 2\"}")
        .expect(200);
    client(rotated).chat("fast", "Hello?").expect(200);
  }

  @Test
  void badLimitsOfAKeyAreRefusedByName() {
    node.operator().onboard("bad-key");
    JsonNode key = newKey("bad-key", "{}");
    Reply queue =
        node.operator()
            .patch(path("bad-key", key), "{\"limits\": {\"queue_length\": 3}}")
            .expect(400);
    assertEquals("limits.queue_length", queue.json().path("field").asText());
    Reply unknown =
        node.operator()
            .post("/admin/tenants/bad-key/keys", "{\"limits\": {\"requests\": 3}}")
            .expect(400);
    assertEquals("limits.requests", unknown.json().path("field").asText());
    node.operator().patch("/admin/tenants/bad-key/keys/nope", "{}").expect(404);
  }

  @Test
  void aTimeZoneIsAnIanaName() {
    Reply refused =
        node.operator()
            .put("/admin/tenants/zoned", "{\"time_zone\": \"Mars/Olympus\"}")
            .expect(400);
    assertEquals("time_zone", refused.json().path("field").asText());
    node.operator().onboard("zoned", "{\"time_zone\": \"Pacific/Auckland\"}");
    assertEquals(
        "Pacific/Auckland",
        node.operator().get("/admin/tenants/zoned").json().path("time_zone").asText());
  }

  @Test
  void aBudgetTellsWhenItIsNearlyUsedUpAndARestartGivesNoFreshOne(@TempDir Path directory) {
    try (NodeProcess own = NodeProcess.started(directory)) {
      own.operator().addModel("fast", upstream.baseUrl(), 4);
      String secret =
          own.operator()
              .onboard(
                  "budget",
                  """
                  {"limits": {"tokens_per_month": 1000, "requests_per_minute": 1000,
                   "tokens_per_minute": 100000, "concurrent_requests": 4}}\
                  """);
      TenantClient tenant = own.tenant(secret);
      int answered = 0;
      Reply reply = tenant.chat("fast", "Hello?");
      while (reply.status() == 200) {
        answered++;
        reply = tenant.chat("fast", "Hello?");
      }
      assertEquals("budget_exhausted", reply.errorCode());
      assertEquals("false", reply.header("x-should-retry"));
      assertTrue(answered > 10, "answered " + answered);
      JsonNode before = tenant.get("/v1/limits").expect(200).json();
      long used = before.at("/limits/tokens_per_month/used").asLong();
      assertTrue(used >= 800 && used <= 1_000, "used " + used);
      Await.until(
          "the mark at 80 %",
          Duration.ofSeconds(20),
          () ->
              !own.operator()
                  .get("/admin/tenants/budget")
                  .json()
                  .at("/budget_marks/0")
                  .isMissingNode());
      JsonNode mark = own.operator().get("/admin/tenants/budget").json().at("/budget_marks/0");
      assertEquals("tokens_per_month", mark.path("limit").asText());
      assertEquals(80, mark.path("percent").asInt());
      assertTrue(
          own.operator()
              .get("/metrics")
              .body()
              .contains(
                  "rowhouse_budget_marks_total{limit=\"tokens_per_month\",percent=\"80\"} 1.0"));
      own.kill9();
      own.start().awaitReady();
      JsonNode after = own.tenant(secret).get("/v1/limits").expect(200).json();
      assertEquals(used, after.at("/limits/tokens_per_month/used").asLong());
      assertEquals(0, after.at("/limits/concurrent_requests/used").asLong());
      assertEquals(
          "budget_exhausted", own.tenant(secret).chat("fast", "Hello?").expect(429).errorCode());
      assertFalse(
          own.operator().get("/admin/tenants/budget").json().at("/budget_marks/0").isMissingNode());
    }
  }
}
