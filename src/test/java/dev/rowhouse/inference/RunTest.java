package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.model;
import static dev.rowhouse.inference.RunFixture.order;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunFixture.Answer;
import dev.rowhouse.inference.RunFixture.Order;
import dev.rowhouse.inference.RunReport.Outcome;
import dev.rowhouse.tenant.ModelSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RunTest {
  @RegisterExtension
  static final SharedKit KIT = new SharedKit(() -> ActorTestKit.create("RunTest"));

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** More than all buffers between an upstream and a run that does not read hold. */
  private static final long BUFFERED_BYTES_MAX = 16L * 1024 * 1024;

  private FakeUpstream upstream;
  private RunFixture fixture;

  @BeforeEach
  void start() throws IOException {
    upstream = new FakeUpstream((_, wire) -> wire.awaitClose());
    fixture = new RunFixture(KIT.get());
  }

  @AfterEach
  void stop() throws IOException {
    upstream.close();
  }

  private ModelSpec upstreamModel() {
    return model("big", ModelSpec.OPENAI, upstream.baseUrl());
  }

  private Order stream() {
    Order order = order(upstreamModel());
    order.stream = true;
    return order;
  }

  private static void eventually(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, "not within " + PATIENCE);
      Thread.sleep(10);
    }
  }

  /** An upstream that streams without end and counts what the network took. */
  private void floods() {
    String word = "x".repeat(1_000);
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          while (true) {
            wire.delta(word);
          }
        });
  }

  @Test
  void pullsABigBodyInPieces() {
    upstream.script(
        (request, wire) ->
            wire.json(
                200,
                "{\"choices\":[{\"message\":{\"content\":\"" + request.body().length() + "\"}}]}"));
    Order order = order(upstreamModel());
    order.body = "{\"messages\":[{\"role\":\"user\",\"content\":\"" + "é".repeat(400_000) + "\"}]}";
    byte[] bytes = order.body.getBytes(StandardCharsets.UTF_8);
    ByteString body = ByteString.fromArray(bytes);
    ActorRef<RunControl> run = fixture.spawn(order.build(), fixture.gateway.getRef());
    int offset = 0;
    while (offset < bytes.length) {
      assertEquals(offset, fixture.gateway.expectMessageClass(RunEvent.PullBody.class).offset());
      int to = Math.min(bytes.length, offset + 131_072);
      RunControl piece = new RunControl.Body(offset, body.slice(offset, to), to == bytes.length);
      run.tell(piece);
      run.tell(piece); // arrives twice, counts once
      offset = to;
    }
    assertEquals(Outcome.COMPLETED, fixture.finish(run).report().outcome());
    assertTrue(upstream.requests.getFirst().body().contains("é".repeat(400_000)));
  }

  @Test
  void asksAgainForAPieceThatWasLost() {
    fixture.conf("body-retry = 50ms");
    fixture.clock.run();
    ActorRef<RunControl> run =
        fixture.spawn(order(upstreamModel()).build(), fixture.gateway.getRef());
    assertEquals(0, fixture.gateway.expectMessageClass(RunEvent.PullBody.class).offset());
    assertEquals(0, fixture.gateway.expectMessageClass(RunEvent.PullBody.class).offset());
    run.tell(new RunControl.Cancel());
    assertEquals(Outcome.CANCELLED, fixture.finish(run).report().outcome());
  }

  @Test
  void refusesABodyThatIsNotWhatWasAnnounced() {
    Order order = order(upstreamModel());
    for (String sent : new String[] {order.body + " ", order.body.substring(1)}) {
      ActorRef<RunControl> run = fixture.spawn(order.build(), fixture.gateway.getRef());
      fixture.gateway.expectMessageClass(RunEvent.PullBody.class);
      run.tell(new RunControl.Body(0, ByteString.fromString(sent), true));
      RunReport report = fixture.finish(run).report();
      assertEquals(400, report.httpStatus());
      assertEquals("invalid_request_error", report.errorCode());
    }
  }

  @Test
  void refusesABodyThatIsNotJson() {
    Order order = order(upstreamModel());
    order.body = "{\"messages\":[}";
    Answer answer = fixture.finish(fixture.start(order));
    assertEquals(400, answer.report().httpStatus());
    assertEquals(0, answer.report().inputTokens());
    assertFalse(answer.report().estimated());
    assertTrue(answer.tail().isEmpty());
  }

  @Test
  void aSlowGatewayStopsTheReadingFromTheUpstream() throws InterruptedException {
    fixture.conf("coalesce-bytes-max = 16 KiB, initial-credit = 2");
    floods();
    ActorRef<RunControl> run = fixture.start(stream());
    fixture.pieces();
    fixture.pieces();
    fixture.gateway.expectNoMessage(Duration.ofMillis(500));
    long sent = sentWhenStill();
    long number = 2;
    int gathered;
    do { // as often as the upstream was slower than this test
      assertTrue(number < 200, "nothing is gathered while there is no credit");
      run.tell(new RunControl.Credit(number + 1));
      RunEvent.Pieces next = fixture.pieces();
      assertEquals(number++, next.number());
      assertTrue(next.pieces().stream().mapToInt(ByteString::size).sum() <= 16 * 1024);
      gathered = next.pieces().size();
      fixture.gateway.expectNoMessage(Duration.ofMillis(100));
    } while (gathered == 1);
    run.tell(new RunControl.Credit(1)); // late, and takes nothing back
    run.tell(new RunControl.Credit(Long.MAX_VALUE));
    eventually(() -> upstream.bytesSent.get() > sent);
    run.tell(new RunControl.Cancel());
  }

  /**
   * Bytes that the upstream got rid of once it cannot send any more. Buffers fill at their pace, so
   * it is their size that ends the wait and not a time.
   */
  private long sentWhenStill() throws InterruptedException {
    while (true) {
      long before = upstream.bytesSent.get();
      assertTrue(before < BUFFERED_BYTES_MAX, before + " bytes went somewhere");
      Thread.sleep(500);
      if (before == upstream.bytesSent.get()) {
        return before;
      }
    }
  }

  @Test
  void cancelClosesTheUpstreamConnectionAndSettlesWhatCame() throws InterruptedException {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two years");
          wire.awaitClose();
        });
    ActorRef<RunControl> run = fixture.start(stream());
    fixture.pieces();
    run.tell(new RunControl.Cancel());
    eventually(() -> upstream.openConnections.get() == 0);
    RunReport report = fixture.finish(run).report();
    assertEquals(Outcome.CANCELLED, report.outcome());
    assertEquals(2, report.outputTokens());
    assertEquals(11, report.inputTokens());
    assertTrue(report.estimated());
  }

  @Test
  void cancelClosesTheConnectionOfARequestThatHasNoAnswerYet() throws InterruptedException {
    ActorRef<RunControl> run = fixture.start(order(upstreamModel()));
    eventually(() -> upstream.requests.size() == 1);
    run.tell(new RunControl.Cancel());
    eventually(() -> upstream.openConnections.get() == 0);
    RunReport report = fixture.finish(run).report();
    assertEquals(Outcome.CANCELLED, report.outcome());
    assertEquals(11, report.inputTokens());
    assertEquals(0, report.outputTokens());
  }

  @Test
  void cancelBeforeTheEngineWasAskedCostsNothing() {
    ActorRef<RunControl> run =
        fixture.spawn(order(upstreamModel()).build(), fixture.gateway.getRef());
    run.tell(new RunControl.Cancel());
    RunReport report = fixture.finish(run).report();
    assertEquals(Outcome.CANCELLED, report.outcome());
    assertEquals(0, report.inputTokens());
    assertFalse(report.estimated());
  }

  @Test
  void theDeathOfTheGatewayIsACancel() throws InterruptedException {
    Order order = stream();
    TestProbe<RunEvent> mortal = KIT.createTestProbe();
    ActorRef<RunControl> run = fixture.spawn(order.build(), mortal.getRef());
    mortal.expectMessageClass(RunEvent.PullBody.class, PATIENCE);
    run.tell(new RunControl.Body(0, ByteString.fromString(order.body), true));
    eventually(() -> upstream.requests.size() == 1);
    mortal.stop();
    RunEnded ended = fixture.ended();
    assertEquals(Outcome.CANCELLED, ended.report().outcome());
    eventually(() -> upstream.openConnections.get() == 0);
    fixture.worker.expectNoMessage(Duration.ofMillis(100));
  }

  @Test
  void theDeadlineEndsAStreamWithAnError() throws IOException {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          while (true) {
            wire.delta("x");
            Thread.sleep(20);
          }
        });
    Order order = stream();
    order.deadline = Duration.ofMillis(400);
    ActorRef<RunControl> run = fixture.start(order);
    assertEquals(0, fixture.pieces().number());
    fixture.clock.pass(order.deadline);
    Answer answer = fixture.finishFrom(run, 1);
    assertEquals("upstream_timeout", answer.report().errorCode());
    assertEquals(504, answer.report().httpStatus());
    assertEquals("upstream_timeout", answer.chunks().getLast().at("/error/code").asText());
  }

  @Test
  void aSearchThatHangsEndsTheRequest() {
    fixture.conf("search-timeout = 100ms");
    fixture.clock.run();
    fixture.documents.silent = true;
    Order order = order(upstreamModel());
    order.retrieve = true;
    RunReport report = fixture.finish(fixture.start(order)).report();
    assertEquals(503, report.httpStatus());
    assertEquals(0, upstream.requests.size());
  }

  @Test
  void anotherModelTakesOverBeforeTheFirstToken() throws IOException {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.event(
              "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}");
          wire.reset();
        });
    try (FakeUpstream second =
        new FakeUpstream(
            (_, wire) -> {
              wire.startStream();
              wire.delta("Two years.");
              wire.finish();
              wire.usage(5, 3);
              wire.done();
            })) {
      Order order = order(upstreamModel(), model("small", ModelSpec.OPENAI, second.baseUrl()));
      order.stream = true;
      Answer answer = fixture.finish(fixture.start(order));
      assertEquals(Outcome.COMPLETED, answer.report().outcome());
      assertEquals("Two years.", answer.text());
      assertEquals("small", answer.chunks().getLast().at("/rowhouse/model").asText());
      assertEquals("m", answer.report().order().modelAsked());
      assertEquals(5, answer.report().inputTokens());
      assertTrue(answer.pieces().stream().noneMatch(piece -> piece.contains("\"big\"")));
    }
  }

  @Test
  void noOtherModelTakesOverAfterTheFirstToken() throws IOException {
    // A reset throws away what its peer has not read yet.
    CountDownLatch taken = new CountDownLatch(1);
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("Two");
          taken.await();
          wire.reset();
        });
    try (FakeUpstream second = new FakeUpstream((_, wire) -> wire.json(200, "{}"))) {
      Order order = order(upstreamModel(), model("small", ModelSpec.OPENAI, second.baseUrl()));
      order.stream = true;
      ActorRef<RunControl> run = fixture.start(order);
      fixture.pieces();
      taken.countDown();
      assertEquals(Outcome.FAILED, fixture.finishFrom(run, 1).report().outcome());
      assertEquals(0, second.requests.size());
    }
  }

  @Test
  void aBadRequestIsNotTriedElsewhere() throws IOException {
    upstream.script((_, wire) -> wire.json(400, "{\"error\":{\"message\":\"no\"}}"));
    try (FakeUpstream second = new FakeUpstream((_, wire) -> wire.json(200, "{}"))) {
      Order order = order(upstreamModel(), model("small", ModelSpec.OPENAI, second.baseUrl()));
      assertEquals(400, fixture.finish(fixture.start(order)).report().httpStatus());
      assertEquals(0, second.requests.size());
    }
  }

  @Test
  void aForeignPassageEndsTheRequestWithoutAWordOfIt() {
    fixture.documents.add(RunFixture.GLOBEX, "theirs.md", "CANARY", 0.9);
    Order order = order(upstreamModel());
    order.retrieve = true;
    Answer answer = fixture.finish(fixture.start(order));
    assertEquals(500, answer.report().httpStatus());
    assertFalse(answer.toString().contains("CANARY"));
    assertEquals(0, upstream.requests.size());
  }

  @Test
  void manyRunsAtOnceEndOnceEach() throws InterruptedException {
    upstream.script(
        (_, wire) -> {
          wire.startStream();
          wire.delta("a");
          wire.finish();
          wire.usage(1, 1);
          wire.done();
        });
    int runs = 100;
    // A second or two on an idle machine; each run has what all of them may take.
    Duration enough = Duration.ofMinutes(2);
    CountDownLatch ended = new CountDownLatch(runs);
    Runs house = fixture.runs();
    for (int i = 0; i < runs; i++) {
      Thread.ofVirtual()
          .start(
              () -> {
                Order order = stream();
                TestProbe<RunEvent> own = KIT.createTestProbe();
                TestProbe<RunNote> worker = KIT.createTestProbe();
                var run = KIT.spawn(house.create(order.build(), own.getRef(), worker.getRef()));
                own.expectMessageClass(RunEvent.PullBody.class, enough);
                run.tell(new RunControl.Body(0, ByteString.fromString(order.body), true));
                RunNote note = worker.receiveMessage(enough);
                while (!(note instanceof RunEnded)) {
                  note = worker.receiveMessage(enough);
                }
                RunReport report = ((RunEnded) note).report();
                worker.expectNoMessage(Duration.ofMillis(20));
                if (report.outcome() == Outcome.COMPLETED) {
                  ended.countDown();
                }
              });
    }
    assertTrue(
        ended.await(enough.toSeconds(), TimeUnit.SECONDS),
        ended.getCount() + " runs did not complete");
  }
}
