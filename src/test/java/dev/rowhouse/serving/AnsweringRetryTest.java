package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.usage.AttemptId;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A gateway's side of a request whose worker goes: one attempt is lost, another takes its turn. */
class AnsweringRetryTest extends AnsweringFixture {
  @RegisterExtension static final SharedKit KIT = new SharedKit();

  private final TestProbe<RunControl> second = KIT.createTestProbe();

  AnsweringRetryTest() {
    super(KIT.get());
  }

  @Test
  void aRunThatIsLostBeforeItGaveAnythingGoesOnAsAnotherAttempt() throws Exception {
    Verdict.Go first = runs();
    tell(new RunEvent.WorkerFailed(attempt()));
    TenantEntity.Retry retry = told(TenantEntity.Retry.class);
    assertTrue(AttemptId.isValid(retry.next().attempt()));
    assertNotEquals(attempt(), retry.next().attempt());
    assertEquals(first.ticket(), retry.ticket());
    assertEquals(spawned, retry.gateway());
    assertEquals(request.build().receivedAtMillis(), retry.next().receivedAtMillis());
    assertEquals(first.order(), retry.lost().order());
    assertEquals(RunReport.Outcome.FAILED, retry.lost().outcome());
    assertTrue(retry.lost().estimated(), "the engine may have read the prompt");
    assertEquals(10, retry.lost().inputTokens());
    assertEquals(0, retry.lost().outputTokens());

    Verdict.Go go = go(retry.next(), 2);
    tell(go);
    assertEquals(go.order(), worker.expectMessageClass(WorkerCommand.Start.class).order());
    secondRunAnswers(retry.next(), "{}");
    Answer.Whole whole = assertInstanceOf(Answer.Whole.class, answered());
    assertEquals("{}", whole.body().utf8String());
    assertEquals(retry.next().attempt(), whole.attempt());
    isGone();
  }

  @Test
  void aRequestWithoutALabelBearsItsFirstIdAsTheSecondOnesLabel() {
    runs();
    tell(new RunEvent.WorkerFailed(attempt()));
    assertEquals(attempt(), told(TenantEntity.Retry.class).next().label());
  }

  @Test
  void theClientsOwnLabelStays() {
    request.label = "mine";
    runs();
    tell(new RunEvent.WorkerFailed(attempt()));
    assertEquals("mine", told(TenantEntity.Retry.class).next().label());
  }

  @Test
  void aRunThatEndsWithItsNodeIsTriedAgainAsWell() throws Exception {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    ActorRef<RunControl> mortal =
        KIT.spawn(Behaviors.monitor(RunControl.class, run.ref(), Behaviors.ignore()));
    tell(new RunEvent.PullBody(attempt(), 0, mortal));
    run.expectMessageClass(RunControl.Body.class, PATIENCE);
    KIT.stop(mortal);
    assertEquals(attempt(), toldInTime(TenantEntity.Retry.class).lost().order().attempt());
  }

  @Test
  void itIsTriedAgainOnce() throws Exception {
    runs();
    tell(new RunEvent.WorkerFailed(attempt()));
    Ask next = told(TenantEntity.Retry.class).next();
    tell(go(next, 2));
    tell(new RunEvent.PullBody(next.attempt(), 0, second.ref()));
    second.expectMessageClass(RunControl.Body.class);
    tell(new RunEvent.WorkerFailed(next.attempt()));
    assertEquals(next.attempt(), told(TenantEntity.Settle.class).report().order().attempt());
    tell(new Verdict.Durable(next.attempt()));
    Answer.Refused refused = assertInstanceOf(Answer.Refused.class, answered());
    assertEquals(502, refused.refusal().httpStatus());
    assertEquals("upstream_error", refused.refusal().code());
    assertEquals(next.attempt(), refused.attempt());
  }

  @Test
  void aStreamThatHasATokenEndsInAnError() throws Exception {
    request.stream = true;
    runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("a"))));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    chunks(parts);
    tell(new RunEvent.WorkerFailed(attempt()));
    RunReport report = told(TenantEntity.Settle.class).report();
    assertEquals(attempt(), report.order().attempt());
    assertEquals(1, report.outputTokens());
    tell(new Verdict.Durable(attempt()));
    assertEquals(
        "upstream_error", assertInstanceOf(Answer.Part.Broken.class, part(parts)).refusal().code());
    isGone();
  }

  @Test
  void aCollectedAnswerThatHasBegunEndsInAnError() throws Exception {
    runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("{"))));
    tell(new RunEvent.WorkerFailed(attempt()));
    assertEquals(attempt(), told(TenantEntity.Settle.class).report().order().attempt());
    tell(new Verdict.Durable(attempt()));
    assertEquals(502, assertInstanceOf(Answer.Refused.class, answered()).refusal().httpStatus());
  }

  @Test
  void nothingIsTriedAgainForAClientThatLeft() {
    runs();
    tell(Answering.ClientGone.CLIENT_GONE);
    tell(new RunEvent.WorkerFailed(attempt()));
    assertEquals(attempt(), told(TenantEntity.Settle.class).report().order().attempt());
    tell(new Verdict.Durable(attempt()));
    isGone();
  }

  @Test
  void theRetryIsSaidUntilTheTenantAnswersIt() {
    runs();
    tell(new RunEvent.WorkerFailed(attempt()));
    TenantEntity.Retry retry = told(TenantEntity.Retry.class);
    ahead(3_000);
    assertEquals(retry, told(TenantEntity.Retry.class));
  }

  @Test
  void aSilentWorkersSlotIsGivenUpAndNothingIsChargedForIt() {
    RunReport lost = silent().lost();
    assertEquals(attempt(), lost.order().attempt());
    assertEquals(0, lost.inputTokens());
    assertEquals(0, lost.outputTokens());
    assertFalse(lost.estimated(), "no body was read: zero is a figure");
  }

  @Test
  void aFirstRunThatComesAliveLateIsCancelledAndItsAnswerReachesNobody() throws Exception {
    request.stream = true;
    Ask next = silent().next();
    tell(go(next, 2));
    assertEquals(
        next.attempt(), worker.expectMessageClass(WorkerCommand.Start.class).order().attempt());
    tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    run.expectMessage(new RunControl.Cancel());

    tell(new RunEvent.PullBody(next.attempt(), 0, second.ref()));
    second.expectMessageClass(RunControl.Body.class);
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("late"))));
    tell(new RunEvent.Pieces(next.attempt(), 0, List.of(bytes("one"))));
    tell(new RunEvent.Ended(attempt(), failed(go(1).order()), List.of(bytes("late"))));
    tell(new RunEvent.Ended(next.attempt(), report(go(next, 2).order()), List.of(bytes("two"))));
    tell(new Verdict.Durable(attempt()));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    assertEquals(List.of(bytes("one")), chunks(parts));
    var end = parts.pull().toCompletableFuture();
    // It repeats the settlement: so it has taken all of the above.
    told(TenantEntity.Settle.class);
    assertFalse(end.isDone(), "the first attempt's record is not the second one's");
    tell(new Verdict.Durable(next.attempt()));
    assertEquals(
        new Answer.Part.Chunks(List.of(bytes("two"))),
        end.get(PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS).orElseThrow());
    assertEquals(new Answer.Part.Done(), part(parts));
  }

  @Test
  void aFirstRunThatComesAliveWhileTheRequestWaitsIsCancelled() {
    Ask next = silent().next();
    tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    run.expectMessage(new RunControl.Cancel());
    tell(go(next, 2));
    tell(new RunEvent.PullBody(next.attempt(), 0, second.ref()));
    second.expectMessageClass(RunControl.Body.class);
  }

  @Test
  void aLateSlotOfTheFirstAttemptIsGivenBack() {
    silent();
    tell(go(3));
    assertEquals(
        go(3).ticket(),
        worker.expectMessageClass(dev.rowhouse.fairness.SlotOwner.Return.class).ticket());
  }

  @Test
  void aSecondRunOfTheSameAttemptGetsNoBody() {
    runs();
    tell(new RunEvent.PullBody(attempt(), 0, second.ref()));
    second.expectMessage(new RunControl.Cancel());
    run.expectNoMessage(QUIET);
  }

  @Test
  void aTicketThatWasSentTwiceAndIsRefusedMayHaveRunAndIsNotTheSameAttemptsAgain() {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    ahead(3_000);
    worker.expectMessageClass(WorkerCommand.Start.class, PATIENCE);
    tell(refused(1));
    assertEquals(attempt(), told(TenantEntity.Retry.class).lost().order().attempt());
  }

  /** Starts it at a worker that says nothing. */
  private TenantEntity.Retry silent() {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    ahead(11_000);
    return told(TenantEntity.Retry.class);
  }

  private void secondRunAnswers(Ask next, String body) {
    tell(new RunEvent.PullBody(next.attempt(), 0, second.ref()));
    second.expectMessageClass(RunControl.Body.class);
    tell(new RunEvent.Ended(next.attempt(), report(go(next, 2).order()), List.of(bytes(body))));
    tell(new Verdict.Durable(next.attempt()));
  }
}
