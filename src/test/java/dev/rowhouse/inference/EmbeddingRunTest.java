package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.order;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunFixture.Answer;
import dev.rowhouse.inference.RunFixture.Order;
import dev.rowhouse.inference.RunReport.Outcome;
import dev.rowhouse.tenant.ModelSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EmbeddingRunTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("EmbeddingRunTest"));

  private final RunFixture fixture = new RunFixture(KIT.get());

  private static ModelSpec model(String modelOfTheEmbedder) {
    return new ModelSpec(
        "house-letters",
        ModelSpec.EMBEDDING,
        null,
        modelOfTheEmbedder,
        null,
        2,
        null,
        0,
        0,
        1,
        1,
        null,
        null);
  }

  private static Order asking(String body) {
    Order order = order(model("letters"));
    order.body = body;
    return order;
  }

  private Answer answer(String body) {
    return fixture.finish(fixture.start(asking(body)));
  }

  /** An embedder that stands at the text "wait" until it is let go, and counts its texts. */
  private static final class Gate extends LetterEmbedder {
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);
    final AtomicInteger texts = new AtomicInteger();

    @Override
    public float[] embed(String text) {
      texts.incrementAndGet();
      if (text.equals("wait")) {
        reached.countDown();
        try {
          open.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      return super.embed(text);
    }
  }

  private ActorRef<RunControl> startAtTheGate(Gate gate, Order order) throws InterruptedException {
    fixture.embedder = gate;
    ActorRef<RunControl> run = fixture.start(order);
    assertTrue(gate.reached.await(20, TimeUnit.SECONDS), "never at the gate");
    return run;
  }

  @Test
  void answersEachTextInOrderAndCountsItsTokens() throws IOException {
    Answer answer = answer("{\"model\":\"m\",\"input\":[\"one two three\",\"bee\"]}");
    assertEquals(
        "{\"object\":\"list\",\"data\":["
            + "{\"object\":\"embedding\",\"index\":0,\"embedding\":[111.0,13.0,0.1]},"
            + "{\"object\":\"embedding\",\"index\":1,\"embedding\":[98.0,3.0,0.1]}"
            + "],\"model\":\"house-letters\",\"usage\":{\"prompt_tokens\":4,\"total_tokens\":4}}",
        answer.body());
    assertTrue(answer.pieces().isEmpty(), "a short answer is all end, held until it is durable");
    RunReport report = answer.report();
    assertEquals(Outcome.COMPLETED, report.outcome());
    assertEquals(4, report.inputTokens());
    assertEquals(0, report.outputTokens());
    assertFalse(report.estimated());
    assertEquals("house-letters", report.modelAnswered());
  }

  @Test
  void answersOneTextAsAListOfOne() throws IOException {
    JsonNode data = answer("{\"model\":\"m\",\"input\":\"bee\"}").json().path("data");
    assertEquals(1, data.size());
    assertEquals(98, data.at("/0/embedding/0").asInt());
  }

  @Test
  void writesLittleEndianFloatsInBase64() throws IOException {
    Answer answer = answer("{\"model\":\"m\",\"input\":\"bee\",\"encoding_format\":\"base64\"}");
    byte[] bytes = Base64.getDecoder().decode(answer.json().at("/data/0/embedding").asText());
    ByteBuffer floats = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(12, bytes.length);
    assertEquals(98f, floats.getFloat());
    assertEquals(3f, floats.getFloat());
    assertEquals(0.1f, floats.getFloat());
  }

  @Test
  void sendsALongAnswerInPiecesAndStopsWithoutCredit() throws Exception {
    fixture.conf("piece-bytes-max = 1 KiB, coalesce-bytes-max = 1 KiB, initial-credit = 1");
    Gate gate = new Gate();
    gate.open.countDown();
    fixture.embedder = gate;
    String texts = "\"a\",".repeat(199) + "\"a\"";
    ActorRef<RunControl> run = fixture.start(asking("{\"model\":\"m\",\"input\":[" + texts + "]}"));
    assertEquals(0, fixture.pieces().number());
    fixture.gateway.expectNoMessage(Duration.ofMillis(200));
    assertTrue(gate.texts.get() < 60, "embedded ahead of the gateway: " + gate.texts.get());
    run.tell(new RunControl.Credit(2));
    assertEquals(1, fixture.pieces().number());
    run.tell(new RunControl.Cancel());
    Answer cancelled = fixture.finishFrom(run, 2);
    assertEquals(Outcome.CANCELLED, cancelled.report().outcome());
    assertEquals(gate.texts.get(), cancelled.report().inputTokens());

    Answer whole = answer("{\"model\":\"m\",\"input\":[" + texts + "]}");
    assertTrue(whole.pieces().stream().allMatch(piece -> piece.length() <= 1024));
    assertEquals(200, whole.json().path("data").size());
    assertEquals(199, whole.json().at("/data/199/index").asInt());
    assertEquals(200, whole.report().inputTokens());
  }

  @Test
  void endsBetweenTwoTextsWhenItIsCancelled() throws InterruptedException {
    Gate gate = new Gate();
    Order order = asking("{\"model\":\"m\",\"input\":[\"a\",\"wait\",\"b\"]}");
    ActorRef<RunControl> run = startAtTheGate(gate, order);
    run.tell(new RunControl.Cancel());
    fixture.gateway.expectNoMessage(Duration.ofMillis(100));
    gate.open.countDown();
    RunReport report = fixture.finish(run).report();
    assertEquals(Outcome.CANCELLED, report.outcome());
    assertEquals(2, report.inputTokens(), "what was embedded is settled");
    assertEquals(2, gate.texts.get());
  }

  @Test
  void endsAtTheDeadlineWithWhatItCost() throws InterruptedException {
    Gate gate = new Gate();
    Order order = asking("{\"model\":\"m\",\"input\":[\"a\",\"wait\",\"b\"]}");
    order.deadline = Duration.ofMillis(300);
    ActorRef<RunControl> run = startAtTheGate(gate, order);
    // Only the tick that finds the deadline reads the clock while a text is with the embedder.
    fixture.clock.passAndBeSeen(order.deadline);
    gate.open.countDown();
    RunReport report = fixture.finish(run).report();
    assertEquals("upstream_timeout", report.errorCode());
    assertEquals(504, report.httpStatus());
    assertEquals(2, report.inputTokens());
    assertEquals(2, gate.texts.get());
  }

  @Test
  void givesUpOnATextThatNeverEnds() throws InterruptedException {
    fixture.conf("text-timeout = 100ms");
    Gate gate = new Gate();
    ActorRef<RunControl> run =
        startAtTheGate(gate, asking("{\"model\":\"m\",\"input\":[\"a\",\"wait\"]}"));
    fixture.clock.pass(Duration.ofMillis(100));
    RunReport report = fixture.finish(run).report();
    assertEquals("upstream_timeout", report.errorCode());
    assertEquals(1, report.inputTokens());
    gate.open.countDown();
  }

  @Test
  void endsWhenItsGatewayIsGone() throws InterruptedException {
    // Nobody gives credit, so the run cannot complete before it hears that its gateway is gone.
    fixture.conf("piece-bytes-max = 1 KiB, coalesce-bytes-max = 1 KiB, initial-credit = 1");
    Gate gate = new Gate();
    fixture.embedder = gate;
    Order order = asking("{\"model\":\"m\",\"input\":[\"wait\"" + ",\"b\"".repeat(199) + "]}");
    TestProbe<RunEvent> gateway = KIT.createTestProbe();
    ActorRef<RunControl> run = fixture.spawn(order.build(), gateway.getRef());
    run.tell(new RunControl.Body(0, ByteString.fromString(order.body), true));
    assertTrue(gate.reached.await(20, TimeUnit.SECONDS), "never at the gate");
    gateway.stop();
    gate.open.countDown();
    RunReport report = fixture.ended().report();
    assertEquals(Outcome.CANCELLED, report.outcome());
    assertEquals(gate.texts.get(), report.inputTokens());
  }

  @Test
  void failsAndCostsNothingWhenTheEmbedderBreaks() {
    fixture.embedder =
        new LetterEmbedder() {
          @Override
          public float[] embed(String text) {
            throw new IllegalStateException("no such tensor");
          }
        };
    RunReport report = answer("{\"model\":\"m\",\"input\":\"a\"}").report();
    assertEquals("internal_error", report.errorCode());
    assertFalse(String.valueOf(report.errorMessage()).contains("tensor"));
    assertEquals(0, report.inputTokens());
  }

  @Test
  void refusesALengthThatTheModelHasNot() {
    assertEquals(
        Outcome.COMPLETED,
        answer("{\"model\":\"m\",\"input\":\"a\",\"dimensions\":3}").report().outcome());
    RunReport report = answer("{\"model\":\"m\",\"input\":\"a\",\"dimensions\":2}").report();
    assertEquals(400, report.httpStatus());
    assertEquals("dimensions", report.errorParam());
    assertEquals(0, report.inputTokens());
  }

  @Test
  void refusesABodyThatNoGatewayLetsThrough() {
    for (String body : new String[] {"{", "{\"model\":\"m\"}", "{\"input\":[\"a\",1]}"}) {
      RunReport report = answer(body).report();
      assertEquals(400, report.httpStatus(), body);
    }
  }

  @Test
  void answersWithNoOtherModelThanTheOneThatIsNamed() {
    Order order = order(model("another"));
    order.body = "{\"model\":\"m\",\"input\":\"a\"}";
    assertEquals(502, fixture.finish(fixture.start(order)).report().httpStatus());
  }
}
