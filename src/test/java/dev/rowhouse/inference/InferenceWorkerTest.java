package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.SharedKit;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class InferenceWorkerTest extends RunningActors {
  @RegisterExtension static final SharedKit KIT = new SharedKit(() -> newKit());

  private final Map<String, Integer> settlementRepeats = new HashMap<>();

  InferenceWorkerTest() {
    super(KIT.get());
  }

  @Test
  void theCrashOfARunEndsItsRequestAndNobodyElses() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 2, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    Tenant globex = new Tenant("globex", 1, coordinator);
    globex.wants(1);
    globex.start("g1", "stay");
    ActorRef<RunControl> neighbour =
        ((RunEvent.PullBody) globex.gateway.receiveMessage(PATIENCE)).run();
    acme.wants(1);
    SlotTicket crashed = acme.start("a1", "crash");
    RunReport report = acme.end();
    assertEquals(RunReport.Outcome.FAILED, report.outcome());
    assertEquals("upstream_error", report.errorCode());
    assertEquals(502, report.httpStatus());
    assertEquals("a1", settled.receiveMessage(PATIENCE).order().attempt());
    acme.slots.finished(crashed);
    acme.wants(1);
    acme.start("a2", "");
    assertEquals(RunReport.Outcome.COMPLETED, acme.end().outcome());
    neighbour.tell(new RunControl.Credit(1));
    assertEquals(RunReport.Outcome.COMPLETED, globex.end().outcome());
  }

  @Test
  void aTicketIsGoodForOneRequestOfItsTenant() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    ActorRef<SlotOwner> worker = worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    SlotTicket ticket = acme.start("a1", "");
    acme.end();
    TestProbe<RunEvent> thief = KIT.createTestProbe();
    worker.tell(new WorkerCommand.Start(ticket, order("acme", "a2", ""), thief.getRef()));
    thief.expectMessage(new RunEvent.TicketRefused("a2", ticket));
    SlotTicket next = acme.ticket().ticket();
    worker.tell(new WorkerCommand.Start(next, order("globex", "g1", ""), thief.getRef()));
    thief.expectMessage(new RunEvent.TicketRefused("g1", next));
    TestProbe<WorkerCommand.Description> description = KIT.createTestProbe();
    worker.tell(new WorkerCommand.Describe(description.getRef()));
    assertEquals(
        Map.of("OTHER_SEQ", 1L, "OTHER_TENANT", 1L), description.receiveMessage().ticketsRefused());
  }

  @Test
  void aSettlementIsRepeatedUntilItIsAcknowledged() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    TestProbe<Integer> sends = KIT.createTestProbe();
    worker(
        coordinator,
        1,
        (report, worker) -> {
          int send = settlementRepeats.merge(report.order().attempt(), 1, Integer::sum);
          sends.getRef().tell(send);
          if (send == 3) {
            worker.tell(new WorkerCommand.Settled(report.order().attempt()));
          }
        });
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a1", "");
    for (int send = 1; send <= 3; send++) {
      assertEquals(send, sends.receiveMessage(PATIENCE));
    }
    sends.expectNoMessage(Duration.ofMillis(2_500));
  }

  @Test
  void aWorkerThatDrainsLetsItsRunEndAndTakesNothingNew() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    ActorRef<SlotOwner> worker = worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a1", "stay");
    ActorRef<RunControl> run = ((RunEvent.PullBody) acme.gateway.receiveMessage(PATIENCE)).run();
    TestProbe<Done> drained = KIT.createTestProbe();
    worker.tell(new WorkerCommand.Drain(drained.getRef()));
    drained.expectNoMessage(Duration.ofMillis(200));
    run.tell(new RunControl.Credit(1));
    drained.expectMessage(Done.getInstance());
    drained.expectTerminated(worker);
  }
}
