package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.model;
import static dev.rowhouse.inference.RunFixture.order;
import static dev.rowhouse.inference.RunFixture.withKey;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunFixture.Answer;
import dev.rowhouse.inference.RunFixture.Order;
import dev.rowhouse.inference.RunReport.Outcome;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.PromptTemplate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs of upstream models against a real HTTP server that misbehaves on demand. */
class OpenAiEngineTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("OpenAiEngineTest"));

  private static final String ANSWER =
      "{\"id\":\"up-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"secret-alias-2\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Two"
          + " years.\"},\"finish_reason\":\"stop\"}],"
          + "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":0,\"total_tokens\":9},\"system_fingerprint\":\"fp\"}";

  private FakeUpstream upstream;
  private RunFixture fixture;

  @BeforeEach
  void start() throws IOException {
    upstream = new FakeUpstream((_, wire) -> wire.json(200, ANSWER));
    fixture = new RunFixture(KIT.get());
  }

  @AfterEach
  void stop() throws IOException {
    upstream.close();
  }

  private ModelSpec upstreamModel() {
    return model("big", ModelSpec.OPENAI, upstream.baseUrl());
  }

  private Answer ask() {
    return fixture.finish(fixture.start(order(upstreamModel())));
  }

  private Answer askStream(boolean includeUsage) {
    Order order = order(upstreamModel());
    order.stream = true;
    order.includeUsage = includeUsage;
    return fixture.finish(fixture.start(order));
  }

  private static void assertFailed(Answer answer, int status, String code) {
    assertEquals(Outcome.FAILED, answer.report().outcome(), answer.toString());
    assertEquals(status, answer.report().httpStatus(), answer.toString());
    assertEquals(code, answer.report().errorCode());
    String shown = answer.body() + answer.report().errorMessage();
    assertFalse(shown.contains("127.0.0.1"), shown);
    assertFalse(shown.contains("secret"), shown);
  }

  @Nested
  class WholeAnswers {
    @Test
    void comeWithOurIdOurModelAndTheUpstreamsChoices() throws IOException {
      Answer answer = ask();
      JsonNode json = answer.json();
      assertEquals("chatcmpl-0190-attempt", json.path("id").asText());
      assertEquals("chat.completion", json.path("object").asText());
      assertEquals("big", json.path("model").asText());
      assertEquals("Two years.", json.at("/choices/0/message/content").asText());
      assertEquals("fp", json.path("system_fingerprint").asText());
      assertEquals("big", json.at("/rowhouse/model").asText());
      assertEquals("miss", json.at("/rowhouse/cache").asText());
      assertEquals(7, json.at("/rowhouse/queue_ms").asInt());
      assertFalse(answer.body().contains("secret-alias"));
    }

    @Test
    void areSettledByTheUpstreamsCountAndAZeroStaysZero() {
      RunReport report = ask().report();
      assertEquals(Outcome.COMPLETED, report.outcome());
      assertEquals(9, report.inputTokens());
      assertEquals(0, report.outputTokens());
      assertFalse(report.estimated());
      assertEquals("big", report.modelAnswered());
      assertNull(report.errorCode());
    }

    @Test
    void withoutACountAreCountedByUsAndSaySo() throws IOException {
      upstream.script(
          (_, wire) ->
              wire.json(
                  200,
                  "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Two"
                      + " years.\"},\"finish_reason\":\"stop\"}]}"));
      Answer answer = ask();
      assertTrue(answer.report().estimated());
      assertEquals(11, answer.report().inputTokens());
      assertEquals(3, answer.report().outputTokens());
      assertEquals(14, answer.json().at("/usage/total_tokens").asInt());
    }

    @Test
    void longerThanAMessageTravelInPieces() throws IOException {
      fixture.conf("piece-bytes-max = 1024, coalesce-bytes-max = 1024, initial-credit = 2");
      String text = "é".repeat(5_000);
      upstream.script((_, wire) -> wire.json(200, ANSWER.replace("Two years.", text)));
      Answer answer = ask();
      assertTrue(answer.pieces().size() > 5);
    }

    @Test
    void shareConnectionsWhenOneFollowsTheOther() {
      Runs runs = fixture.runs();
      for (int i = 0; i < 5; i++) {
        RunOrder order = order(upstreamModel()).build();
        var run = KIT.spawn(runs.create(order, fixture.gateway.getRef(), fixture.worker.getRef()));
        fixture.gateway.expectMessageClass(RunEvent.PullBody.class);
        run.tell(new RunControl.Body(0, ByteString.fromString(RunFixture.QUESTION), true));
        assertEquals(Outcome.COMPLETED, fixture.finish(run).report().outcome());
      }
      assertEquals(1, upstream.connections.get());
    }

    @Test
    void surviveAKeptConnectionThatTheUpstreamClosed() {
      Runs runs = fixture.runs();
      upstream.script(
          (_, wire) -> {
            wire.json(200, ANSWER);
            if (upstream.requests.size() == 1) {
              wire.awaitNextRequest();
              throw new IOException("idle for too long");
            }
          });
      for (int i = 0; i < 2; i++) {
        RunOrder order = order(upstreamModel()).build();
        var run = KIT.spawn(runs.create(order, fixture.gateway.getRef(), fixture.worker.getRef()));
        fixture.gateway.expectMessageClass(RunEvent.PullBody.class);
        run.tell(new RunControl.Body(0, ByteString.fromString(RunFixture.QUESTION), true));
        assertEquals(Outcome.COMPLETED, fixture.finish(run).report().outcome());
      }
      assertEquals(2, upstream.requests.size());
    }
  }

  @Nested
  class Requests {
    @Test
    void reachTheUpstreamWithItsNameItsKeyAndOurId() throws IOException {
      fixture.finish(fixture.start(order(withKey(upstreamModel(), "env:TEST_KEY"))));
      FakeUpstream.Request request = upstream.requests.getFirst();
      assertEquals("/v1/chat/completions", request.path());
      assertEquals("Bearer sk-test-secret", request.headers().get("authorization"));
      assertEquals("0190-attempt", request.headers().get("x-request-id"));
      JsonNode body = JsonMembers.MAPPER.readTree(request.body());
      assertEquals("secret-alias", body.path("model").asText());
      assertFalse(body.has("rowhouse"));
      assertFalse(body.has("stream"));
    }

    @Test
    void takeTheKeyFromAFileToo(@TempDir Path dir) throws IOException {
      Path file = Files.writeString(dir.resolve("key"), "sk-from-file\n");
      fixture.finish(fixture.start(order(withKey(upstreamModel(), "file:" + file))));
      assertEquals(
          "Bearer sk-from-file", upstream.requests.getFirst().headers().get("authorization"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"env:NOT_SET", "file:/nowhere/at/all", "what"})
    void withoutTheirKeyAreNotSent(String reference) {
      Answer answer = fixture.finish(fixture.start(order(withKey(upstreamModel(), reference))));
      assertFailed(answer, 502, "upstream_error");
      assertTrue(String.valueOf(answer.report().errorMessage()).contains("no key"));
      assertEquals(0, upstream.requests.size());
    }

    @Test
    void carryThePassagesAndThePromptOfTheTenant() throws IOException {
      fixture.documents.add(RunFixture.ACME, "terms.md", "The warranty is two years.", 0.9);
      Order order = order(upstreamModel());
      order.retrieve = true;
      order.prompt = new PromptTemplate("p", 1, "You are Acme's.", null);
      Answer answer = fixture.finish(fixture.start(order));
      JsonNode messages =
          JsonMembers.MAPPER.readTree(upstream.requests.getFirst().body()).path("messages");
      assertEquals(2, messages.size());
      assertEquals("system", messages.at("/0/role").asText());
      assertTrue(messages.at("/0/content").asText().startsWith("You are Acme's."));
      assertTrue(messages.at("/0/content").asText().contains("The warranty is two years."));
      JsonNode citation = answer.json().at("/rowhouse/citations/0");
      assertEquals("file-terms.md", citation.path("file_id").asText());
      assertEquals("terms.md", citation.path("filename").asText());
      assertEquals("default", citation.path("store").asText());
      assertEquals(0.9, citation.path("score").asDouble());
      assertEquals("The warranty is two years.", citation.path("text").asText());
    }
  }

  @Nested
  class Streams {
    private void answerInPieces() {
      upstream.script(
          (_, wire) -> {
            wire.startStream();
            for (String word : List.of("Two", " ", "years", ".")) {
              wire.delta(word);
            }
            wire.finish();
            wire.usage(9, 4);
            wire.done();
          });
    }

    @Test
    void beginWithTheRoleAndEndWithTheReasonAndOurObject() throws IOException {
      answerInPieces();
      Answer answer = askStream(false);
      List<JsonNode> chunks = answer.chunks();
      assertEquals("assistant", chunks.getFirst().at("/choices/0/delta/role").asText());
      assertEquals("Two years.", answer.text());
      assertEquals("stop", chunks.getLast().at("/choices/0/finish_reason").asText());
      assertEquals("big", chunks.getLast().at("/rowhouse/model").asText());
      assertEquals(1, answer.tail().size());
      for (JsonNode chunk : chunks) {
        assertEquals("chatcmpl-0190-attempt", chunk.path("id").asText());
        assertEquals("chat.completion.chunk", chunk.path("object").asText());
        assertEquals("big", chunk.path("model").asText());
        assertEquals(1, chunk.path("choices").size());
        assertFalse(chunk.has("usage"));
      }
      assertTrue(upstream.requests.getFirst().body().contains("\"include_usage\":true"));
    }

    @Test
    void areSettledByTheUpstreamsCountAlthoughTheClientDidNotAskForIt() {
      answerInPieces();
      RunReport report = askStream(false).report();
      assertEquals(9, report.inputTokens());
      assertEquals(4, report.outputTokens());
      assertFalse(report.estimated());
      assertTrue(report.timeToFirstTokenMillis() >= 0);
      assertTrue(report.latencyMillis() >= report.timeToFirstTokenMillis());
    }

    @Test
    void haveAUsageChunkWhenTheClientAskedForIt() throws IOException {
      answerInPieces();
      JsonNode last = askStream(true).chunks().getLast();
      assertEquals(0, last.path("choices").size());
      assertTrue(last.path("choices").isArray());
      assertEquals(13, last.at("/usage/total_tokens").asInt());
    }

    @Test
    void withoutACountAreCountedByUs() throws IOException {
      upstream.script(
          (_, wire) -> {
            wire.startStream();
            wire.delta("Two years.");
            wire.finish();
            wire.done();
          });
      Answer answer = askStream(true);
      assertTrue(answer.report().estimated());
      assertEquals(3, answer.report().outputTokens());
      assertEquals(3, answer.chunks().getLast().at("/usage/completion_tokens").asInt());
    }

    @Test
    void passToolCallsAndUnknownMembersOnAsTheyStand() throws IOException {
      String call =
          "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"logprobs\":{\"content\":[]},\n"
              + "\"finish_reason\":null}],\"service_tier\":\"x\"}";
      upstream.script(
          (_, wire) -> {
            wire.startStream();
            wire.chunk(
                ("data: " + call.replace("\n", "\ndata: ") + "\n\n")
                    .getBytes(StandardCharsets.UTF_8));
            wire.event(
                "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}");
            wire.done();
          });
      Answer answer = askStream(false);
      assertFalse(answer.pieces().getFirst().contains("\n"));
      JsonNode first = answer.chunks().getFirst();
      assertEquals(JsonMembers.MAPPER.readTree(call).path("choices"), first.path("choices"));
      assertEquals("x", first.path("service_tier").asText());
      assertTrue(answer.report().outputTokens() > 0);
    }

    @Test
    void keepEachChoiceOfSeveralItsEnd() throws IOException {
      upstream.script(
          (_, wire) -> {
            wire.startStream();
            wire.delta("a");
            wire.finish();
            wire.event(
                "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"},\"finish_reason\":null}]}");
            wire.event("{\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}");
            wire.done();
          });
      List<JsonNode> chunks = askStream(false).chunks();
      assertEquals(
          List.of("stop", "length"),
          chunks.stream()
              .map(chunk -> chunk.at("/choices/0/finish_reason").asText())
              .filter(reason -> !reason.isEmpty() && !reason.equals("null"))
              .toList());
      assertFalse(chunks.get(chunks.size() - 2).has("rowhouse"));
      assertTrue(chunks.getLast().has("rowhouse"));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void cutAnywhereEvenInsideACharacterReadTheSame(long seed) throws IOException {
      RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      StringBuilder events = new StringBuilder();
      StringBuilder expected = new StringBuilder();
      for (int i = random.nextInt(5, 40); i > 0; i--) {
        String word =
            List.of("naïve ", "日本語", "🙂🚀", "plain ", "\\u00e9\\n").get(random.nextInt(5));
        expected.append(word.equals("\\u00e9\\n") ? "é\n" : word);
        events
            .append("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"")
            .append(word)
            .append("\"},\"finish_reason\":null}]}\n\n");
      }
      events
          .append("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
          .append("data: [DONE]\n\n");
      byte[] bytes = events.toString().getBytes(StandardCharsets.UTF_8);
      upstream.script(
          (_, wire) -> {
            wire.startStream();
            for (int at = 0; at < bytes.length; ) {
              int to = Math.min(bytes.length, at + random.nextInt(1, 200));
              wire.chunk(Arrays.copyOfRange(bytes, at, to));
              at = to;
            }
            wire.raw("0\r\n\r\n");
          });
      assertEquals(expected.toString(), askStream(false).text());
    }
  }
}
