package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model behind an OpenAI-compatible upstream, in good days and bad ones. */
class UpstreamIT {
  private static final List<String> MODELS =
      List.of("fast", "chatty", "mute", "slow", "broken", "cut", "cut-early", "silent");

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Of a stream that takes a quarter of an hour unless somebody cancels it. */
  private static final int SLOW_TOKENS = 20_000;

  private static NodeProcess node;
  private static FakeUpstream upstream;
  private static TenantClient tenant;

  @BeforeAll
  static void start(@TempDir Path directory) {
    upstream =
        FakeUpstream.start()
            .on("fast", Behaviour.of(6, 1))
            .on("chatty", Behaviour.of(6, 1).usage(UsagePolicy.ALWAYS))
            .on("mute", Behaviour.of(6, 1).usage(UsagePolicy.NEVER))
            .on("slow", Behaviour.of(SLOW_TOKENS, 50))
            .on("broken", Behaviour.of(6, 0).failingWith(500))
            .on("failing", Behaviour.of(6, 0).failingWith(500))
            .on("cut", Behaviour.of(6, 20).cutAfter(3))
            .on("cut-early", Behaviour.of(6, 20).cutAfter(0))
            .on("silent", Behaviour.of(6, 0).keepingSilent());
    // The silent upstream is given up sooner than by default, and no other one on a slow machine.
    node =
        NodeProcess.in(directory)
            .with("ROWHOUSE_JVM_OPTS", "-Drowhouse.inference.openai.response-timeout=20s")
            .start()
            .awaitReady();
    for (String model : MODELS) {
      node.operator().addModel(model, upstream.baseUrl(), 8);
    }
    node.operator().addModel("failing", upstream.baseUrl(), 1);
    node.operator().addModel("nowhere", URI.create("http://127.0.0.1:9/v1"), 8);
    tenant = node.tenant(node.operator().onboard("acme"));
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  @Test
  void anAnswerCarriesTheUpstreamsTextAndUsage() {
    Reply reply = tenant.chat("fast", "Hello?").expect(200);
    assertEquals("word word word word word word", reply.answer());
    assertEquals(FakeUpstream.PROMPT_TOKENS, reply.json().at("/usage/prompt_tokens").asInt());
    assertEquals(6, reply.json().at("/usage/completion_tokens").asInt());
    JsonNode record = recordOf(reply.requestId());
    assertEquals("completed", record.path("status").asText());
    assertEquals("fast", record.path("model").asText());
    assertEquals(FakeUpstream.PROMPT_TOKENS, record.path("input_tokens").asInt());
    assertEquals(6, record.path("output_tokens").asInt());
  }

  @Test
  void aStreamTellsUsageOnlyWhenAsked() {
    for (String model : List.of("fast", "chatty", "mute")) {
      TenantClient.Stream plain = tenant.stream(TenantClient.chatBody(model, "Hello?", true));
      assertEquals(200, plain.status());
      assertTrue(plain.done(), "[DONE]");
      assertEquals("word word word word word word", plain.text().strip());
      assertEquals(0, usageChunks(plain).size(), model + ": nobody asked for usage");

      TenantClient.Stream asked =
          tenant.stream(
              """
              {"model": "%s", "stream": true, "stream_options": {"include_usage": true},
               "messages": [{"role": "user", "content": "Hello?"}]}\
              """
                  .formatted(model));
      assertTrue(asked.done(), "[DONE]");
      List<JsonNode> usage = usageChunks(asked);
      assertEquals(1, usage.size(), model + ": one usage chunk");
      assertTrue(usage.get(0).path("choices").isEmpty(), usage.toString());
      assertTrue(usage.get(0).at("/usage/completion_tokens").asInt() > 0, usage.toString());
    }
  }

  @Test
  void exactlyOneChunkOfAStreamSaysWhyItFinished() {
    TenantClient.Stream stream = tenant.stream(TenantClient.chatBody("fast", "Hello?", true));
    long finished =
        stream.chunks().stream()
            .filter(chunk -> chunk.at("/choices/0/finish_reason").isTextual())
            .count();
    assertEquals(1, finished);
  }

  @Test
  void anUpstreamThatCountsNothingIsCountedByUs() {
    Reply reply = tenant.chat("mute", "Hello?").expect(200);
    JsonNode record = recordOf(reply.requestId());
    assertTrue(record.path("output_tokens").asInt() > 0, record.toString());
  }

  @Test
  void anUpstreams500IsA502() {
    Reply reply = tenant.chat("broken", "Hello?").expect(502);
    assertEquals("upstream_error", reply.errorCode());
    JsonNode record = recordOf(reply.requestId());
    assertEquals("failed", record.path("status").asText());
    assertEquals(0, record.path("output_tokens").asInt());
    assertEquals(502, tenant.stream(TenantClient.chatBody("broken", "Hello?", true)).status());
  }

  @Test
  void anUpstreamThatIsNotThereIsA502() {
    assertEquals("upstream_error", tenant.chat("nowhere", "Hello?").expect(502).errorCode());
  }

  @Test
  void anUpstreamThatNeverAnswersIsA504() {
    int before = upstream.running();
    HttpRequest request =
        tenant.chatRequest(TenantClient.chatBody("silent", "Hello?", false), Duration.ofMinutes(3));
    Reply reply = ApiClient.send(request).expect(504);
    assertEquals("upstream_timeout", reply.errorCode());
    Await.until(
        "the call to the upstream is given up", PATIENCE, () -> upstream.running() == before);
  }

  @Test
  void aStreamThatTheUpstreamCutsEndsInAnErrorEvent() {
    TenantClient.Stream cut = tenant.stream(TenantClient.chatBody("cut", "Hello?", true));
    assertEquals(200, cut.status());
    assertEquals("upstream_error", cut.errorCode(), cut.events().toString());
    JsonNode record = recordOf(cut.requestId());
    assertEquals("failed", record.path("status").asText());
    assertTrue(record.path("output_tokens").asInt() > 0, "what was sent is counted: " + record);
  }

  @Test
  void aStreamThatIsCutBeforeItsFirstTokenIsNotASuccess() {
    TenantClient.Stream cut = tenant.stream(TenantClient.chatBody("cut-early", "Hello?", true));
    assertTrue(cut.status() == 502 || !cut.errorCode().isEmpty(), cut.toString());
  }

  @Test
  void aClientThatLeavesCancelsTheCallLongBeforeItsEnd() throws IOException {
    int before = upstream.cancelled();
    HttpResponse<InputStream> response =
        tenant.openStream(TenantClient.chatBody("slow", "Hello?", true));
    try (InputStream body = response.body()) {
      assertTrue(body.read() >= 0, "the stream has begun");
    }
    Await.until("the upstream sees its client go", PATIENCE, () -> upstream.cancelled() > before);
    String id = response.headers().firstValue("x-request-id").orElse("");
    Await.until("the record of the cancelled request", PATIENCE, () -> recordsOf(id).size() == 1);
    JsonNode record = recordsOf(id).get(0);
    assertEquals("cancelled", record.path("status").asText());
    assertTrue(record.path("output_tokens").asInt() < SLOW_TOKENS, record.toString());
  }

  @Test
  void aFailedRequestFreesItsSlot() {
    // It has one slot, and fewer failures than open its circuit breaker.
    for (int i = 0; i < 4; i++) {
      tenant.chat("failing", "Hello?").expect(502);
    }
  }

  @Test
  void aModelWithAnOwnerExistsForNobodyElse() {
    node.operator()
        .put(
            "/admin/models/private",
            """
            {"engine": "openai", "base_url": "%s", "slots": 1, "owner": "acme",
             "upstream_model": "fast"}\
            """
                .formatted(upstream.baseUrl()));
    TenantClient other = node.tenant(node.operator().onboard("globex"));
    tenant.chat("private", "Hello?").expect(200);
    assertEquals("model_not_found", other.chat("private", "Hello?").expect(404).errorCode());
    assertFalse(other.get("/v1/models").expect(200).body().contains("private"));
  }

  @Test
  void theRequestLogHasNoContent() {
    Reply reply = tenant.chat("fast", "A secret word: xylophone").expect(200);
    Reply logged = tenant.get("/v1/requests/" + reply.requestId()).expect(200);
    assertFalse(logged.body().contains("xylophone"), logged.body());
    assertTrue(logged.body().contains("fast"), logged.body());
  }

  private static List<JsonNode> usageChunks(TenantClient.Stream stream) {
    return stream.chunks().stream().filter(chunk -> chunk.path("usage").isObject()).toList();
  }

  private static JsonNode recordOf(String requestId) {
    List<JsonNode> records = recordsOf(requestId);
    assertEquals(1, records.size(), "records of " + requestId);
    return records.get(0);
  }

  private static List<JsonNode> recordsOf(String requestId) {
    return tenant.usageRecords().stream()
        .filter(record -> Set.of(requestId).contains(record.path("request_id").asText()))
        .toList();
  }
}
