package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What README promises for the first five minutes, and the life of a tenant after them. */
class FirstFiveMinutesIT {
  private static final String MODEL = "rowhouse-extractive";
  private static final String QUESTION = "Within how many days may a customer return goods?";

  private static NodeProcess node;

  @BeforeAll
  static void start(@TempDir Path directory) {
    node = NodeProcess.started(directory);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void eachTenantsAnswerCitesOnlyItsOwnFile() {
    TenantClient acme = node.tenant(node.operator().onboard("acme"));
    TenantClient globex = node.tenant(node.operator().onboard("globex"));
    String acmesFile = returnsWithin(acme, "acme-returns.md", "thirty");
    String globexsFile = returnsWithin(globex, "globex-returns.md", "ninety");

    Reply toAcme = acme.chat(MODEL, QUESTION).expect(200);
    Reply toGlobex = globex.chat(MODEL, QUESTION).expect(200);

    assertEquals(Set.of(acmesFile), citedBy(toAcme));
    assertEquals(Set.of(globexsFile), citedBy(toGlobex));
    assertTrue(toAcme.answer().contains("thirty"), toAcme.body());
    assertTrue(toGlobex.answer().contains("ninety"), toGlobex.body());
    assertFalse(toAcme.body().contains("ninety"), toAcme.body());
    assertFalse(toGlobex.body().contains("thirty"), toGlobex.body());
    assertEquals(tokensTold(toAcme), tokensRecorded(acme, toAcme.requestId()));
    assertEquals(tokensTold(toGlobex), tokensRecorded(globex, toGlobex.requestId()));
    assertEquals(1, acme.usageRecords().size());
    assertEquals(1, globex.usageRecords().size());
  }

  @Test
  void theUsageSummaryIsTheSumOfTheRecords() {
    TenantClient tenant = node.tenant(node.operator().onboard("sums"));
    for (int i = 0; i < 3; i++) {
      tenant.chat(MODEL, "Question number " + i).expect(200);
    }
    long recorded =
        tenant.usageRecords().stream()
            .mapToLong(record -> record.path("input_tokens").asLong())
            .sum();
    JsonNode summary = tenant.get("/v1/usage?bucket=hour").expect(200).json();
    assertTrue(recorded > 0, "input tokens recorded");
    assertEquals(
        recorded,
        summary.path("data").findValues("input_tokens").stream().mapToLong(JsonNode::asLong).sum(),
        summary.toString());
  }

  @Test
  void anAnswerCanBeStreamed() {
    TenantClient tenant = node.tenant(node.operator().onboard("streams"));
    String file = returnsWithin(tenant, "returns.md", "sixty");
    TenantClient.Stream stream = tenant.stream(TenantClient.chatBody(MODEL, QUESTION, true));
    assertEquals(200, stream.status());
    assertTrue(stream.done(), "[DONE]");
    assertTrue(stream.text().contains("sixty"), stream.text());
    assertEquals(
        "assistant", stream.chunks().get(0).at("/choices/0/delta/role").asText(), "first delta");
    assertTrue(
        stream.chunks().stream().allMatch(chunk -> chunk.has("choices")), "each event has choices");
    assertTrue(stream.events().stream().anyMatch(event -> event.contains(file)), "a citation");
  }

  @Test
  void aQuestionThatNothingFitsIsAnsweredPlainlyAndWithoutACitation() {
    TenantClient tenant = node.tenant(node.operator().onboard("empty"));
    Reply reply = tenant.chat(MODEL, QUESTION).expect(200);
    assertEquals(Set.of(), citedBy(reply));
    assertFalse(reply.answer().isBlank(), reply.body());
  }

  @Test
  void aDeletedFileIsCitedNoMore() {
    TenantClient tenant = node.tenant(node.operator().onboard("deletes"));
    String file = returnsWithin(tenant, "returns.md", "twenty");
    assertEquals(Set.of(file), citedBy(tenant.chat(MODEL, QUESTION).expect(200)));
    tenant.delete("/v1/files/" + file).expect(200);
    Reply after = tenant.chat(MODEL, QUESTION).expect(200);
    assertEquals(Set.of(), citedBy(after));
    assertFalse(after.body().contains("twenty"), after.body());
  }

  @Test
  void theSamePutAgainChangesNothingAndShowsNoKey() {
    String body = "{\"display_name\": \"Twice\", \"plan\": \"standard\"}";
    Reply first = node.operator().put("/admin/tenants/twice", body).expect(201);
    String key = first.json().at("/api_key/key").asText();
    assertTrue(key.startsWith("rh_twice_"), "the key names its tenant");
    assertEquals("twice", first.json().path("tenant").asText());
    assertFalse(first.json().path("provisioned").isEmpty(), first.body());

    Reply second = node.operator().put("/admin/tenants/twice", body).expect(200);
    assertTrue(second.json().at("/api_key/key").isMissingNode(), second.body());
    node.tenant(key).get("/v1/models").expect(200);
  }

  @Test
  void aTenantStartsWithAStoreAndItsLimits() {
    TenantClient tenant = node.tenant(node.operator().onboard("fresh"));
    Reply store = tenant.get("/v1/vector_stores/default").expect(200);
    assertEquals("default", store.json().path("id").asText());
    assertTrue(tenant.get("/v1/limits").expect(200).body().contains("remaining"));
    assertTrue(tenant.get("/v1/models").expect(200).body().contains(MODEL));
  }

  @Test
  void aSuspendedTenantIsRefusedUntilItIsResumed() {
    TenantClient tenant = node.tenant(node.operator().onboard("paused"));
    node.operator().post("/admin/tenants/paused/suspend", "{}").expect(200);
    Reply refused = tenant.chat(MODEL, QUESTION).expect(403);
    assertEquals("tenant_suspended", refused.errorCode());
    node.operator().post("/admin/tenants/paused/resume", "{}").expect(200);
    tenant.chat(MODEL, QUESTION).expect(200);
  }

  @Test
  void patchedLimitsHoldFromTheNextRequestOn() {
    TenantClient tenant = node.tenant(node.operator().onboard("patched"));
    tenant.chat(MODEL, QUESTION).expect(200);
    node.operator()
        .patch("/admin/tenants/patched", "{\"limits\": {\"concurrent_requests\": 0}}")
        .expect(200);
    assertEquals("concurrency_exceeded", tenant.chat(MODEL, QUESTION).expect(429).errorCode());
    Reply profile = node.operator().get("/admin/tenants/patched").expect(200);
    assertEquals(0, profile.json().at("/limits/concurrent_requests").asInt(-1));
    assertEquals(
        60000, profile.json().at("/limits/requests_per_minute").asInt(), "a patch leaves the rest");
  }

  @Test
  void aKeyIsMadeListedWithoutItsSecretAndRevoked() {
    node.operator().onboard("keys");
    Reply made =
        created(node.operator().post("/admin/tenants/keys/keys", "{\"name\": \"second\"}"));
    TenantClient withKey = node.tenant(key(made));
    withKey.get("/v1/models").expect(200);

    Reply list = node.operator().get("/admin/tenants/keys/keys").expect(200);
    assertTrue(list.body().contains(keyId(made)), list.body());
    assertFalse(list.body().contains(key(made)), "a list never shows a secret");

    Reply gone = node.operator().delete("/admin/tenants/keys/keys/" + keyId(made));
    assertTrue(Set.of(200, 204).contains(gone.status()), gone.body());
    assertEquals("invalid_api_key", withKey.get("/v1/models").expect(401).errorCode());
  }

  @Test
  void aKeyOpensOnlyWhatItsScopesName() {
    node.operator().onboard("scopes");
    Reply made =
        created(
            node.operator()
                .post(
                    "/admin/tenants/scopes/keys",
                    "{\"name\": \"reader\", \"scopes\": [\"usage:read\"]}"));
    TenantClient reader = node.tenant(key(made));
    reader.get("/v1/usage").expect(200);
    reader.chat(MODEL, QUESTION).expect(403);
    reader.get("/v1/files").expect(403);
  }

  @Test
  void bothKeysWorkUntilTheGraceOfARotationEnds() {
    node.operator().onboard("rotates");
    Reply first =
        created(node.operator().post("/admin/tenants/rotates/keys", "{\"name\": \"old\"}"));
    Reply second =
        created(
            node.operator()
                .post(
                    "/admin/tenants/rotates/keys/" + keyId(first) + "/rotate",
                    "{\"grace_seconds\": 20}"));
    node.tenant(key(second)).get("/v1/models").expect(200);
    node.tenant(key(first)).get("/v1/models").expect(200);
    Await.until(
        "the old key is refused",
        Duration.ofMinutes(2),
        () -> node.tenant(key(first)).get("/v1/models").status() == 401);
    node.tenant(key(second)).get("/v1/models").expect(200);
  }

  @Test
  void anOffboardedTenantIsGone() {
    TenantClient tenant = node.tenant(node.operator().onboard("leaves"));
    String file = returnsWithin(tenant, "returns.md", "forty");
    node.operator().delete("/admin/tenants/leaves").expect(200);
    tenant.get("/v1/files/" + file).expect(401);
    tenant.chat(MODEL, QUESTION).expect(401);
    node.operator().get("/admin/tenants/leaves").expect(404);
  }

  @Test
  void anotherTenantsIdIsTheSame404AsOneThatNeverWas() {
    TenantClient owner = node.tenant(node.operator().onboard("owner"));
    TenantClient stranger = node.tenant(node.operator().onboard("stranger"));
    String file = returnsWithin(owner, "returns.md", "fifty");
    String store =
        owner
            .post("/v1/vector_stores", "{\"name\": \"private\"}")
            .expect(200)
            .json()
            .path("id")
            .asText();
    String attempt = owner.chat(MODEL, QUESTION).expect(200).requestId();

    for (String path :
        List.of(
            "/v1/files/" + file,
            "/v1/files/" + file + "/content",
            "/v1/vector_stores/" + store,
            "/v1/vector_stores/default/files/" + file,
            "/v1/requests/" + attempt)) {
      owner.get(path).expect(200);
      String foreign = stranger.get(path).expect(404).body();
      assertFalse(foreign.contains("fifty"), foreign);
    }
    String never = "file-" + "0".repeat(Math.max(1, file.length() - 5));
    assertEquals(
        stranger.get("/v1/files/" + never).expect(404).body().replace(never, "ID"),
        stranger.get("/v1/files/" + file).expect(404).body().replace(file, "ID"));
    stranger.delete("/v1/files/" + file).expect(404);
    stranger.delete("/v1/vector_stores/" + store).expect(404);
    stranger.post("/v1/vector_stores/default/files", "{\"file_id\": \"" + file + "\"}").expect(404);
    stranger.post("/v1/vector_stores/" + store + "/search", "{\"query\": \"returns\"}").expect(404);
    owner.get("/v1/files/" + file).expect(200);
  }

  @Test
  void aKeyOfOnePlaneOpensNothingOnTheOther() {
    String key = node.operator().onboard("planes");
    new Operator(node.operatorUri(), key).get("/admin/tenants").expect(401);
    new Operator(node.operatorUri(), key).get("/metrics").expect(401);
    node.tenant(node.operator().credential()).get("/v1/models").expect(401);
  }

  @Test
  void healthIsOpenAndMetricsAreNot() {
    Operator nobody = new Operator(node.operatorUri(), null);
    nobody.get("/alive").expect(200);
    nobody.get("/ready").expect(200);
    nobody.get("/metrics").expect(401);
    node.operator().get("/metrics").expect(200);
  }

  private static String returnsWithin(TenantClient tenant, String filename, String days) {
    String file =
        tenant.upload(
            filename,
            """
            # Returns

            A customer may return goods within %s days of delivery. The goods must be unused.

            # Shipping

            Parcels leave the warehouse every morning except on Sundays.
            """
                .formatted(days));
    tenant.attach("default", file);
    return file;
  }

  private static Set<String> citedBy(Reply reply) {
    Set<String> files = new HashSet<>();
    reply
        .json()
        .at("/rowhouse/citations")
        .forEach(citation -> files.add(citation.path("file_id").asText()));
    return files;
  }

  private static long tokensTold(Reply reply) {
    return reply.json().at("/usage/total_tokens").asLong(-1);
  }

  private static long tokensRecorded(TenantClient tenant, String requestId) {
    return tenant.usageRecords().stream()
        .filter(record -> record.path("request_id").asText().equals(requestId))
        .mapToLong(
            record -> record.path("input_tokens").asLong() + record.path("output_tokens").asLong())
        .sum();
  }

  private static Reply created(Reply reply) {
    assertTrue(Set.of(200, 201).contains(reply.status()), reply.status() + " " + reply.body());
    return reply;
  }

  /** The new key, flat or inside {@code api_key} as onboarding shows it. */
  private static String key(Reply reply) {
    JsonNode json = reply.json();
    return (json.has("api_key") ? json.path("api_key") : json).path("key").asText();
  }

  private static String keyId(Reply reply) {
    JsonNode json = reply.json();
    return (json.has("api_key") ? json.path("api_key") : json).path("id").asText();
  }
}
