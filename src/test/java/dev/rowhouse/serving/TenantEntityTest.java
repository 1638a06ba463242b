package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.TenantRecord;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** The tenant's actor and the requests of its clients. */
class TenantEntityTest extends TenantEntityFixture {
  @Test
  void makesTheRequestWaitAsksForASlotAndLetsItGo() throws Exception {
    open();
    String attempt = admit();
    assertEquals(0, receive(Verdict.Waiting.class).ahead());
    FairnessCoordinator.Demand demand = demand();
    assertEquals(1, demand.backlog().pending());
    assertEquals("small", demand.pool());
    assertEquals(10 * 1 + 20 * 2, demand.backlog().headEstimateCost());
    demand.holder().tell(held(1));
    Verdict.Go go = receive(Verdict.Go.class);
    assertEquals(attempt, go.order().attempt());
    assertEquals(ticket(1), go.ticket());
    assertEquals(1, inFlight(go.limits()));
    FairnessCoordinator.Demand after = demandOf(0);
    assertEquals(1, after.held());
    assertTrue(after.version() > demand.version());
  }

  @Test
  void usesATicketAtHandWithoutAskingAnybody() throws Exception {
    open();
    tell(held(1));
    admit();
    assertEquals(ticket(1), receive(Verdict.Go.class).ticket());
    coordinator.expectNoMessage(QUIET);
  }

  @Test
  void answersARepeatedAdmissionAsBefore() throws Exception {
    open();
    Ask ask = new Request().build();
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    receive(Verdict.Waiting.class);
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    receive(Verdict.Waiting.class);
    tell(held(1));
    Verdict.Go go = receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    assertEquals(go, receive(Verdict.Go.class));
  }

  @Test
  void givesTheTicketOfAClientThatLeftBack() throws Exception {
    open();
    tell(held(1));
    String attempt = admit();
    receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Leave(attempt));
    assertEquals(new SlotOwner.Return(ticket(1)), worker.receiveMessage());
    assertEquals(0, inFlight(limits()));
  }

  @Test
  void endsTheDemandOfAClientThatLeftTheQueue() throws Exception {
    open();
    String attempt = admit();
    assertEquals(1, demand().backlog().pending());
    entity().tell(new TenantEntity.Leave(attempt));
    demandOf(0);
  }

  @Test
  void looksForAnotherSlotWhenTheTicketWasRefused() throws Exception {
    open();
    tell(held(1));
    String attempt = admit();
    receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Requeue(attempt));
    receive(Verdict.Waiting.class);
    FairnessCoordinator.Demand demand = demand();
    assertEquals(1, demand.backlog().pending());
    assertEquals(0, demand.held());
    tell(held(2));
    Verdict.Go second = receive(Verdict.Go.class);
    assertEquals(attempt, second.order().attempt());
    assertEquals(ticket(2), second.ticket());
  }

  @Test
  void refusesWithTheLimitsOfTheMoment() throws Exception {
    profile.limits = new Limits(1L, 1_000L, 5L, null, null, 5L);
    open();
    admit();
    receive(Verdict.Waiting.class);
    admit();
    Verdict.No no = receive(Verdict.No.class);
    assertEquals("rate_limit_exceeded", no.refusal().code());
    assertNotNull(no.limits());
    assertEquals(1, no.limits().requestsPerMinute().used());
  }

  @Test
  void refusesWhenTheQueueIsFullAndGivesThePlaceBack() throws Exception {
    profile.limits = new Limits(10L, 1_000L, 5L, null, null, 1L);
    open();
    admit();
    receive(Verdict.Waiting.class);
    admit();
    assertEquals("queue_full", receive(Verdict.No.class).refusal().code());
    assertEquals(1, inFlight(limits()));
  }

  @Test
  void putsOutOfTheQueueWhoWaitedForLongerThanThePlanSays() throws Exception {
    open();
    admit();
    receive(Verdict.Waiting.class);
    clock.pass(Duration.ofSeconds(31));
    Verdict.No no = assertInstanceOf(Verdict.No.class, gateway.receiveMessage(PATIENCE));
    assertEquals("queue_timeout", no.refusal().code());
    assertEquals(503, no.refusal().httpStatus());
  }

  @Test
  void obeysANewProfileAtOnce() throws Exception {
    ActorRef<TenantRecord.Notice> ofRecord = open();
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    admit();
    assertEquals("rate_limit_exceeded", receive(Verdict.No.class).refusal().code());
  }

  @Test
  void tellsAGatewayOfAResetAndTakesItBackWhenTheProfileChanges() throws Exception {
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    ActorRef<TenantRecord.Notice> ofRecord = open();
    Ask ask = new Request().build();
    TestProbe<Throttle.Notice> throttle = KIT.createTestProbe();
    entity().tell(new TenantEntity.Admit(ask, gateway.ref(), throttle.ref()));
    Verdict.No no = receive(Verdict.No.class);
    assertEquals(
        new Throttle.Until(
            Samples.TENANT, Throttle.Need.of(ask), no.refusal(), assertLimits(no.limits())),
        throttle.receiveMessage(PATIENCE));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    assertEquals(new Throttle.Forget(Samples.TENANT), throttle.receiveMessage(PATIENCE));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    throttle.expectNoMessage(QUIET);
  }

  @Test
  void leavesNoGatewayWithARefusalWhenItStops() throws Exception {
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    open();
    TestProbe<Throttle.Notice> throttle = KIT.createTestProbe();
    entity().tell(new TenantEntity.Admit(new Request().build(), gateway.ref(), throttle.ref()));
    throttle.receiveMessage(PATIENCE);
    entity().tell(TenantEntity.Retire.RETIRE);
    assertEquals(new Throttle.Forget(Samples.TENANT), throttle.receiveMessage(PATIENCE));
  }
}
