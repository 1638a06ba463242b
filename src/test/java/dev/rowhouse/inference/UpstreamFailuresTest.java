package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.model;
import static dev.rowhouse.inference.RunFixture.order;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunFixture.Answer;
import dev.rowhouse.inference.RunFixture.Order;
import dev.rowhouse.inference.RunReport.Outcome;
import dev.rowhouse.tenant.ModelSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client gets when an upstream fails in one of its many ways. */
class UpstreamFailuresTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("UpstreamFailuresTest"));

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

  private Order streamOrder() {
    Order order = order(upstreamModel());
    order.stream = true;
    return order;
  }

  private Answer askStream(boolean includeUsage) {
    Order order = streamOrder();
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

  @Test
  void aRefusedConnectionIsABadGateway() throws IOException {
    // Bound and not listening: nobody else can get the port meanwhile.
    try (Socket taken = new Socket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      String url = "http://127.0.0.1:" + taken.getLocalPort() + "/v1";
      Answer answer = fixture.finish(fixture.start(order(model("big", ModelSpec.OPENAI, url))));
      assertFailed(answer, 502, "upstream_error");
      assertEquals(0, answer.report().inputTokens());
      assertFalse(answer.report().estimated());
    }
  }

  @ParameterizedTest(name = "{0} becomes {1} {2}")
  @CsvSource({
    "500, 502, upstream_error",
    "503, 502, upstream_error",
    "302, 502, upstream_error",
    "401, 502, upstream_error",
    "404, 502, upstream_error",
    "408, 504, upstream_timeout",
    "429, 503, no_capacity",
    "400, 400, invalid_request_error",
    "422, 400, invalid_request_error"
  })
  void aStatusOfTheUpstreamBecomesOneOfOurs(int theirs, int ours, String code) {
    upstream.script(
        (_, wire) ->
            wire.json(
                theirs,
                "{\"error\":{\"message\":\"secret-alias at http://127.0.0.1:9/v1: bad"
                    + " temperature\"}}",
                "Location: " + upstream.baseUrl(),
                "Retry-After: 7"));
    Answer answer = ask();
    assertFailed(answer, ours, code);
    String message = String.valueOf(answer.report().errorMessage());
    assertEquals(ours == 400, message.contains("bad temperature"), message);
    assertEquals(theirs == 429, message.contains("try again in 7 s"), message);
    assertEquals(1, upstream.requests.size());
  }

  @Test
  void aStreamThatIsCutEndsInAnErrorAndIsSettledByWhatCame() throws IOException {
    // A reset throws away what its peer has not read yet.
    CountDownLatch taken = new CountDownLatch(1);
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two");
          wire.delta(" years");
          taken.await();
          wire.reset();
        });
    ActorRef<RunControl> run = fixture.start(streamOrder());
    List<String> came = new ArrayList<>();
    long messages = 0;
    while (came.stream().noneMatch(piece -> piece.contains(" years"))) {
      RunEvent.Pieces next = fixture.pieces();
      assertEquals(messages++, next.number());
      next.pieces().forEach(piece -> came.add(piece.utf8String()));
    }
    taken.countDown();
    Answer rest = fixture.finishFrom(run, messages);
    came.addAll(rest.pieces());
    Answer answer = new Answer(came, rest.tail(), rest.report());
    assertFailed(answer, 502, "upstream_error");
    assertEquals("Two years", answer.text());
    assertEquals("upstream_error", answer.chunks().getLast().at("/error/code").asText());
    assertEquals(1, answer.tail().size());
    assertTrue(answer.report().estimated());
    assertEquals(2, answer.report().outputTokens());
    assertEquals(11, answer.report().inputTokens());
  }

  @Test
  void aStreamThatEndsPolitelyButTooSoonIsACutToo() {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two");
          wire.raw("0\r\n\r\n");
        });
    assertFailed(askStream(false), 502, "upstream_error");
  }

  @Test
  void anErrorInsideAStreamIsPassedOn() throws IOException {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two");
          wire.event(
              "{\"error\":{\"message\":\"out of memory at http://10.0.0.1/\",\"type\":\"x\"}}");
          wire.awaitClose();
        });
    Answer answer = askStream(false);
    assertFailed(answer, 502, "upstream_error");
    String message = answer.chunks().getLast().at("/error/message").asText();
    assertTrue(message.contains("out of memory at [upstream]"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"choices\":", "not json", "[]", "{}", "{\"choices\":[]}", "{\"choices\":7}"})
  void anAnswerThatIsNoneIsABadGateway(String body) {
    upstream.script((_, wire) -> wire.json(200, body));
    assertFailed(ask(), 502, "upstream_error");
  }

  @Test
  void brokenJsonInAStreamIsABadGateway() {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.event("{\"choices\":[{\"delta\":");
          wire.awaitClose();
        });
    assertFailed(askStream(false), 502, "upstream_error");
  }

  @Test
  void aPeerThatDoesNotSpeakHttpIsABadGateway() {
    upstream.script((_, wire) -> wire.raw("SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n"));
    assertFailed(ask(), 502, "upstream_error");
  }

  @Test
  void anEndlessLineIsNotKept() {
    fixture.conf("openai.event-bytes-max = 4 KiB");
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          byte[] part = "x".repeat(1_000).getBytes(StandardCharsets.UTF_8);
          wire.chunk("data: ".getBytes(StandardCharsets.UTF_8));
          for (int i = 0; i < 1_000_000; i++) {
            wire.chunk(part);
          }
        });
    assertFailed(askStream(false), 502, "upstream_error");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anEndlessAnswerIsNotKept(boolean stream) {
    fixture.conf("openai.response-bytes-max = 32 KiB");
    upstream.script(
        (_, wire) -> {
          if (stream) {
            wire.startStream();
            while (true) {
              wire.delta("word ");
            }
          }
          wire.json(200, ANSWER.replace("Two years.", "x".repeat(100_000)));
        });
    assertFailed(stream ? askStream(false) : ask(), 502, "upstream_error");
  }

  @Test
  void anUpstreamThatHangsIsATimeOut() {
    fixture.conf("openai.response-timeout = 200ms");
    fixture.clock.run();
    upstream.script((_, wire) -> wire.awaitClose());
    assertFailed(ask(), 504, "upstream_timeout");
  }

  @Test
  void headersThatDripAreATimeOut() {
    fixture.conf("openai.response-timeout = 300ms");
    fixture.clock.run();
    upstream.script(
        (_, wire) -> {
          wire.raw("HTTP/1.1 200 OK\r\n");
          while (true) {
            wire.raw("x");
            Thread.sleep(20);
          }
        });
    assertFailed(ask(), 504, "upstream_timeout");
  }

  @Test
  void silenceWithinAStreamIsATimeOut() throws IOException {
    fixture.conf("openai.stream-idle-timeout = 200ms");
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two");
          wire.awaitClose();
        });
    ActorRef<RunControl> run = fixture.start(streamOrder());
    fixture.pieces();
    fixture.clock.run();
    Answer answer = fixture.finishFrom(run, 1);
    assertFailed(answer, 504, "upstream_timeout");
    assertEquals("upstream_timeout", answer.chunks().getLast().at("/error/code").asText());
  }

  @Test
  void anAddressThatIsNoneIsABadGateway() {
    for (String url : List.of("", "ftp://x/", "http:///", "::")) {
      Answer answer = fixture.finish(fixture.start(order(model("big", ModelSpec.OPENAI, url))));
      assertFailed(answer, 502, "upstream_error");
      assertNotNull(answer.report().errorMessage());
    }
  }
}
