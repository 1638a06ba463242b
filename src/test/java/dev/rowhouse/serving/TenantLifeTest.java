package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.junit.jupiter.api.Test;

/** The tenant's actor from its start, with a census, to its end. */
class TenantLifeTest extends TenantEntityFixture {
  @Test
  void keepsRequestsWhileItLoadsAndNoMoreThanItMay() throws Exception {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    for (int i = 0; i < 3; i++) {
      admit();
    }
    assertEquals("journal_unavailable", receive(Verdict.No.class).refusal().code());
    gateway.expectNoMessage(QUIET);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    receive(Verdict.Waiting.class);
    receive(Verdict.Waiting.class);
    gateway.expectNoMessage(QUIET);
  }

  @Test
  void knowsNoKeyOfATenantThatIsNotThere() throws Exception {
    spawn();
    admit();
    take(records).tell(new TenantRecord.Unknown(Samples.TENANT));
    assertEquals("invalid_api_key", receive(Verdict.No.class).refusal().code());
    TestProbe<TenantEntity.Authorization> answer = KIT.createTestProbe();
    entity().tell(new TenantEntity.Authorize(Samples.KEY, Scope.INFERENCE, answer.ref()));
    assertEquals(
        "invalid_api_key", answer.expectMessageClass(TenantEntity.Denied.class).refusal().code());
  }

  @Test
  void opensWhenTheTenantIsOnboardedLater() throws Exception {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    ofRecord.tell(new TenantRecord.Unknown(Samples.TENANT));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void startsItsRecordAgainWhenThatStopped() throws Exception {
    open();
    TestProbe<TenantReply> replies = KIT.createTestProbe();
    administer("stop", replies.ref());
    record.receiveMessage();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    administer("on", replies.ref());
    record.receiveMessage();
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void admitsNothingNewBeforeItKnowsWhatRunsAndWaits() throws Exception {
    profile.limits = new Limits(100L, 100_000L, 3L, null, null, 5L);
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    admit();
    Request running = new Request();
    Request waiting = new Request();
    Request orphan = new Request();
    for (Request request : List.of(running, waiting, orphan)) {
      request.receivedAtMillis = clock.millis();
      request.deadlineMillis = request.receivedAtMillis + 300_000;
    }
    Verdict.Go go = goOf(running);
    // A request may speak before its gateway has said how many there are.
    entity.tell(new Census.Present(running.build(), gateway.ref(), go));
    entity.tell(new Census.Asked(3));
    entity.tell(new Census.Told(0));
    entity.tell(new Census.Told(2));
    entity.tell(new WorkerCommand.Runs(List.of(go.order(), goOf(orphan).order())));
    gateway.expectNoMessage(QUIET);
    entity.tell(new Census.Present(waiting.build(), gateway.ref(), null));
    assertEquals(0, receive(Verdict.Waiting.class).ahead(), "the one that waited keeps its place");
    assertEquals("concurrency_exceeded", receive(Verdict.No.class).refusal().code());
    assertEquals(3, inFlight(limits()), "one runs, one waits, one runs without a gateway");
    assertEquals(1, demandOf(1).backlog().pending());
    settle(go.order());
    settle(goOf(orphan).order());
    assertEquals(1, inFlight(limits()));
    tell(held(1));
    assertEquals(waiting.attempt, receive(Verdict.Go.class).order().attempt());
  }

  @Test
  void countsNothingThatWasSettledWhileItAsked() throws Exception {
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    Request running = new Request();
    Verdict.Go go = goOf(running);
    settle(go.order());
    entity.tell(new Census.Asked(1));
    entity.tell(new Census.Told(1));
    entity.tell(new Census.Present(running.build(), gateway.ref(), go));
    assertEquals(0, inFlight(limits()));
  }

  @Test
  void waitsForACensusNoLongerThanItMay() throws Exception {
    settings = settings(60_000, 120_000, 100);
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    entity.tell(new Census.Asked(2));
    entity.tell(new Census.Told(0));
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void tellsThoseThatWaitToAskTheNextIncarnation() throws Exception {
    open();
    admit();
    receive(Verdict.Waiting.class);
    entity().tell(TenantEntity.Retire.RETIRE);
    receive(Verdict.Moved.class);
  }

  @Test
  void writesWhatIsLeftAndReturnsItsTicketsBeforeItStops() throws Exception {
    open();
    tell(held(7));
    Verdict.Go go = running();
    tell(held(8));
    settle(go.order());
    entity().tell(TenantEntity.Retire.RETIRE);
    assertEquals(new SlotOwner.Return(ticket(8)), worker.receiveMessage());
    UsageLedger.Append append = append();
    TestProbe<Object> watcher = KIT.createTestProbe();
    admit();
    receive(Verdict.Moved.class);
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    receive(Verdict.Durable.class);
    watcher.expectTerminated(entity(), PATIENCE);
  }

  @Test
  void stopsAtOnceWithNothingInHand() throws Exception {
    open();
    entity().tell(TenantEntity.Retire.RETIRE);
    KIT.createTestProbe().expectTerminated(entity(), PATIENCE);
  }

  @Test
  void asksToBePutToSleepWhenItIsIdleAndGivesItsTicketsBack() throws Exception {
    settings = settings(60_000, 50);
    open();
    tell(held(1));
    limits(); // it has the ticket
    clock.pass(Duration.ofMillis(51));
    assertInstanceOf(ClusterSharding.Passivate.class, shard.receiveMessage(PATIENCE));
    assertEquals(new SlotOwner.Return(ticket(1)), worker.receiveMessage());
  }

  @Test
  void staysAwakeWhileARequestIsInHand() throws Exception {
    settings = settings(60_000, 50);
    open();
    admit();
    demand();
    clock.pass(Duration.ofMillis(51));
    for (int tick = 0; tick < 3; tick++) {
      demand();
    }
    shard.expectNoMessage(QUIET);
  }
}
