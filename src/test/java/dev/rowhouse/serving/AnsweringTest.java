package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.SharedKit;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A gateway's side of one request, from its admission to its one answer. */
class AnsweringTest extends AnsweringFixture {
  @RegisterExtension static final SharedKit KIT = new SharedKit();

  AnsweringTest() {
    super(KIT.get());
  }

  @Test
  void givesAWholeAnswerWhenItsUsageIsDurableAndNotBefore() throws Exception {
    Verdict.Go go = runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("{\"a\""), bytes(":"))));
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of(bytes("1}"))));
    // It repeats the settlement: so it has taken the end.
    told(TenantEntity.Settle.class);
    assertFalse(answer.isDone());
    tell(new Verdict.Durable(attempt()));
    Answer.Whole whole = assertInstanceOf(Answer.Whole.class, answered());
    assertEquals("{\"a\":1}", whole.body().utf8String());
    assertNotNull(whole.limits());
    isGone();
  }

  @Test
  void takesTheWordOfDurabilityAlsoBeforeTheEnd() throws Exception {
    Verdict.Go go = runs();
    tell(new Verdict.Durable(attempt()));
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of(bytes("{}"))));
    assertEquals("{}", assertInstanceOf(Answer.Whole.class, answered()).body().utf8String());
  }

  @Test
  void streamsAtOnceAndHoldsTheEndBack() throws Exception {
    request.stream = true;
    Verdict.Go go = runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("one"), bytes("two"))));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    assertEquals(List.of(bytes("one"), bytes("two")), chunks(parts));
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of(bytes("three"))));
    var next = parts.pull().toCompletableFuture();
    told(TenantEntity.Settle.class);
    assertFalse(next.isDone());
    tell(new Verdict.Durable(attempt()));
    assertEquals(
        new Answer.Part.Chunks(List.of(bytes("three"))),
        next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).get());
    assertEquals(new Answer.Part.Done(), part(parts));
    assertTrue(pulled(parts).isEmpty());
    isGone();
  }

  @Test
  void sendsTheBodyInPiecesThatFitAFrame() {
    ByteString body = ByteString.fromArray(new byte[300 * 1024]);
    start(body);
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    int offset = 0;
    while (offset < body.size()) {
      tell(new RunEvent.PullBody(attempt(), offset, run.ref()));
      RunControl.Body piece = run.expectMessageClass(RunControl.Body.class);
      assertEquals(offset, piece.offset());
      assertTrue(piece.bytes().size() <= 128 * 1024);
      offset += piece.bytes().size();
      assertEquals(offset == body.size(), piece.last());
    }
  }

  @Test
  void refusesWithTheWordsOfItsTenant() throws Exception {
    start();
    Refusal refusal = Refusal.of(403, "tenant_suspended", "words");
    tell(new Verdict.No(refusal, desk.view("k1", Samples.NOW)));
    Answer.Refused refused = assertInstanceOf(Answer.Refused.class, answered());
    assertEquals(refusal, refused.refusal());
    assertNotNull(refused.limits());
    isGone();
  }

  @Test
  void failsAsTheRunFailedOnceThatIsDurable() throws Exception {
    Verdict.Go go = runs();
    tell(new RunEvent.Ended(attempt(), failed(go.order()), List.of()));
    tell(new Verdict.Durable(attempt()));
    Refusal refusal = assertInstanceOf(Answer.Refused.class, answered()).refusal();
    assertEquals("upstream_error", refusal.code());
    assertEquals(502, refusal.httpStatus());
  }

  @Test
  void breaksAStreamThatHasBegunWithTheError() throws Exception {
    request.stream = true;
    Verdict.Go go = runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("one"))));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    chunks(parts);
    tell(new RunEvent.Ended(attempt(), failed(go.order()), List.of()));
    tell(new Verdict.Durable(attempt()));
    Answer.Part.Broken broken = assertInstanceOf(Answer.Part.Broken.class, part(parts));
    assertEquals("upstream_error", broken.refusal().code());
    assertTrue(pulled(parts).isEmpty());
  }

  @Test
  void anAnswerWhoseClientLeftAtItsEndIsStillCompletedSoThatItsConnectionCanClose()
      throws Exception {
    Verdict.Go go = runs();
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of(bytes("{}"))));
    tell(Answering.ClientGone.CLIENT_GONE);
    Refusal refusal = assertInstanceOf(Answer.Refused.class, answered()).refusal();
    assertEquals("client_closed_request", refusal.code());
    isGone();
  }

  @Test
  void saysThatTheJournalIsAwayWhenTheEndWaitedForTooLong() throws Exception {
    Verdict.Go go = runs();
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of(bytes("{}"))));
    // The gateway repeats the settlement: so it has taken the end, and its wait has begun.
    told(TenantEntity.Settle.class);
    ahead(DURABLE_WAIT_MILLIS + 1_000);
    Refusal refusal = assertInstanceOf(Answer.Refused.class, answered()).refusal();
    assertEquals("journal_unavailable", refusal.code());
    assertEquals(503, refusal.httpStatus());
    isGone();
  }

  @Test
  void repeatsTheSettlementUntilItIsDurable() throws Exception {
    Verdict.Go go = runs();
    RunReport report = report(go.order());
    tell(new RunEvent.Ended(attempt(), report, List.of(bytes("{}"))));
    for (int i = 0; i < 2; i++) {
      TenantEntity.Settle settle = told(TenantEntity.Settle.class);
      assertEquals(report, settle.report());
      assertEquals(spawned, settle.gateway());
      assertNull(settle.worker());
    }
  }

  @Test
  void asksAgainWhenItsTenantIsSilent() {
    start();
    ahead(3_000);
    assertEquals(attempt(), told(TenantEntity.Admit.class).ask().attempt());
  }

  @Test
  void leavesTheQueueWithItsClient() throws Exception {
    start();
    tell(waiting());
    tell(Answering.ClientGone.CLIENT_GONE);
    assertEquals(attempt(), told(TenantEntity.Leave.class).attempt());
    isGone();
  }

  @Test
  void cancelsTheRunOfAClientThatLeft() throws Exception {
    Verdict.Go go = runs();
    tell(Answering.ClientGone.CLIENT_GONE);
    run.expectMessage(new RunControl.Cancel());
    tell(new RunEvent.Ended(attempt(), report(go.order()), List.of()));
    tell(new Verdict.Durable(attempt()));
    isGone();
  }

  @Test
  void cancelsARunThatBeginsAfterItsClientLeft() {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    tell(Answering.ClientGone.CLIENT_GONE);
    tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    run.expectMessage(new RunControl.Cancel());
  }

  @Test
  void takesNoSecondSlotForAClientThatLeft() throws Exception {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    tell(Answering.ClientGone.CLIENT_GONE);
    tell(refused(1));
    assertEquals(attempt(), told(TenantEntity.Leave.class).attempt());
    isGone();
  }

  @Test
  void cancelsTheRunWhenTheStreamsConnectionIsGoneAndEndsWithoutComplaint() throws Exception {
    request.stream = true;
    Verdict.Go go = runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("one"))));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    chunks(parts);
    parts.cancel();
    run.expectMessage(new RunControl.Cancel());
    LoggingTestKit.error("")
        .withOccurrences(0)
        .expect(
            kit.system(),
            () -> {
              tell(new RunEvent.Ended(attempt(), failed(go.order()), List.of()));
              tell(new Verdict.Durable(attempt()));
              isGone();
              return true;
            });
  }

  @Test
  void givesCreditOnlyForWhatTheClientTook() throws Exception {
    request.stream = true;
    runs();
    for (int number = 0; number < Answering.WINDOW_MESSAGES; number++) {
      tell(new RunEvent.Pieces(attempt(), number, List.of(bytes("x" + number))));
    }
    run.expectNoMessage(QUIET);
    SinkQueueWithCancel<Answer.Part> parts = stream();
    for (int taken = 0; taken < Answering.WINDOW_MESSAGES; taken++) {
      assertEquals(List.of(bytes("x" + taken)), chunks(parts));
    }
    assertEquals(24, run.expectMessageClass(RunControl.Credit.class).upTo());
    assertEquals(32, run.expectMessageClass(RunControl.Credit.class).upTo());
    run.expectNoMessage(QUIET);
  }

  @Test
  void collectsWithoutWaitingForTheClient() throws Exception {
    runs();
    for (int number = 0; number < 8; number++) {
      tell(new RunEvent.Pieces(attempt(), number, List.of(bytes("x"))));
    }
    assertEquals(24, run.expectMessageClass(RunControl.Credit.class).upTo());
  }

  @Test
  void cancelsARunWhoseAnswerIsLargerThanTheHouseCollects() {
    runs();
    tell(new RunEvent.Pieces(attempt(), 0, List.of(ByteString.fromArray(new byte[2_000]))));
    run.expectMessage(new RunControl.Cancel());
  }

  @Test
  void settlesForARunThatWasLostWithItsWorker() throws Exception {
    request.stream = true;
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    ActorRef<RunControl> mortal = KIT.spawn(Behaviors.ignore());
    tell(new RunEvent.PullBody(attempt(), 0, mortal));
    tell(new RunEvent.Pieces(attempt(), 0, List.of(bytes("a"), bytes("b"), bytes("c"))));
    SinkQueueWithCancel<Answer.Part> parts = stream();
    chunks(parts);
    KIT.stop(mortal);
    RunReport report = toldInTime(TenantEntity.Settle.class).report();
    assertTrue(report.estimated());
    assertEquals(RunReport.Outcome.FAILED, report.outcome());
    assertEquals(3, report.outputTokens());
    assertEquals(10, report.inputTokens());
    tell(new Verdict.Durable(attempt()));
    assertEquals(
        "upstream_error", assertInstanceOf(Answer.Part.Broken.class, part(parts)).refusal().code());
  }

  /** While it waits, it reads its clock at most twice in a tick: so a whole tick is over. */
  private void ticks() throws InterruptedException {
    clock.awaitReads(4);
  }

  @Test
  void keepsAWaitingStreamAliveWithComments() throws Exception {
    request.stream = true;
    start();
    tell(waiting());
    ticks();
    assertFalse(answer.isDone());
    ahead(2_000);
    SinkQueueWithCancel<Answer.Part> parts = stream();
    assertEquals(new Answer.Part.StillQueued(), part(parts));
    var next = parts.pull().toCompletableFuture();
    ahead(6_500);
    ticks();
    assertFalse(next.isDone());
    ahead(8_000);
    assertEquals(
        new Answer.Part.StillQueued(), next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).get());
  }

  @Test
  void sendsNoCommentToWhoDoesNotStream() throws Exception {
    start();
    tell(waiting());
    ahead(10_000);
    ticks();
    assertFalse(answer.isDone());
  }

  @Test
  void waitsForAnotherSlotWhenTheTicketIsRefused() throws Exception {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    tell(refused(1));
    assertEquals(attempt(), told(TenantEntity.Requeue.class).attempt());
    Verdict.Go second = go(2);
    tell(second);
    assertEquals(second.ticket(), worker.expectMessageClass(WorkerCommand.Start.class).ticket());
    tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    run.expectMessageClass(RunControl.Body.class);
  }

  @Test
  void aRefusalOfAnEarlierTicketIsNotOneOfThisTicket() {
    start();
    tell(go(1));
    tell(refused(1));
    told(TenantEntity.Requeue.class);
    tell(go(2));
    tell(refused(1));
    tell(new RunEvent.PullBody(attempt(), 0, run.ref()));
    run.expectMessageClass(RunControl.Body.class);
    region.expectNoMessage(QUIET);
  }

  @Test
  void aTicketThatWasRefusedIsNotUsedWhenItIsGivenAgain() {
    start();
    tell(go(1));
    worker.expectMessageClass(WorkerCommand.Start.class);
    tell(refused(1));
    told(TenantEntity.Requeue.class);
    tell(go(1));
    assertEquals(attempt(), told(TenantEntity.Requeue.class).attempt());
    worker.expectNoMessage(QUIET);
  }

  @Test
  void startsARepeatedGoOnce() {
    runs();
    tell(go(1));
    worker.expectNoMessage(QUIET);
  }

  @Test
  void givesUpAtItsDeadlineAndLeaves() throws Exception {
    start();
    tell(waiting());
    ahead(301_000);
    assertEquals(attempt(), told(TenantEntity.Leave.class).attempt());
    assertEquals(
        "queue_timeout", assertInstanceOf(Answer.Refused.class, answered()).refusal().code());
  }

  @Test
  void saysHowItStandsToANewIncarnationOfTheTenantsActor() {
    start();
    TestProbe<Object> census = kit.createTestProbe();
    tell(new Answering.Count(census.ref()));
    assertEquals(new Census.Absent(attempt()), census.receiveMessage(), "nobody has admitted it");
    assertEquals(attempt(), told(TenantEntity.Admit.class).ask().attempt(), "so it asks again");
    tell(waiting());
    tell(new Answering.Count(census.ref()));
    assertEquals(new Census.Present(request.build(), gateway(), null), census.receiveMessage());
    Verdict.Go go = go(1);
    tell(go);
    tell(new Answering.Count(census.ref()));
    assertEquals(new Census.Present(request.build(), gateway(), go), census.receiveMessage());
    assertEquals(List.of(gateway()), inHand.of(Samples.TENANT));
  }

  @Test
  void asksTheNextIncarnationWhenItsTenantHasMoved() {
    start();
    tell(waiting());
    tell(new Verdict.Moved());
    assertEquals(attempt(), told(TenantEntity.Admit.class).ask().attempt());
  }
}
