package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.HandClock;
import dev.rowhouse.SharedKit;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.PoolTable;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A worker that fails and starts again, and one whose upstreams fail. */
class WorkerHealthTest extends RunningActors {
  @RegisterExtension static final SharedKit KIT = new SharedKit(() -> newKit());
  private static final Duration OPEN_MIN = Duration.ofMillis(300);

  /** Of the workers whose breakers a test opens: they stay open until it moves this. */
  private final HandClock clock = new HandClock(Instant.EPOCH);

  private final TestProbe<WorkerCommand.Description> said = KIT.createTestProbe();

  WorkerHealthTest() {
    super(KIT.get());
  }

  /** Short times, so that a test need not wait. */
  private static EndpointHealth hasty() {
    return new EndpointHealth(
        new BreakerSettings(10, 2, 0.5, OPEN_MIN, Duration.ofSeconds(1), 0, PATIENCE, 1, 2),
        new Random(1));
  }

  private static ModelSpec upstream(String name, int slots) {
    return new ModelSpec(
        name, "openai", "http://" + name + "/v1", null, null, slots, null, 0, 0, 1, 2, null, null);
  }

  private WorkerCommand.Description describe(ActorRef<SlotOwner> worker) {
    worker.tell(new WorkerCommand.Describe(said.getRef()));
    return said.receiveMessage(PATIENCE);
  }

  private void awaitSlots(ActorRef<SlotOwner> worker, Map<String, Integer> slots) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    Map<String, Integer> seen = describe(worker).slots();
    while (!seen.equals(slots)) {
      assertTrue(System.nanoTime() < until, "slots are " + seen);
      said.expectNoMessage(Duration.ofMillis(20));
      seen = describe(worker).slots();
    }
  }

  private static void calls(ActorRef<SlotOwner> worker, CallOutcome outcome, int count) {
    for (int i = 0; i < count; i++) {
      worker.tell(new CallEnded("m", outcome, 0, 0));
    }
  }

  @Test
  void aWorkerThatFailsTellsItsGatewaysAndStartsAgainAsALaterIncarnation() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    AtomicBoolean failed = new AtomicBoolean();
    ActorRef<SlotOwner> worker =
        worker(
            coordinator,
            2,
            (report, replyTo) -> {
              if (failed.compareAndSet(false, true)) {
                throw new IllegalStateException("the port broke");
              }
              settleAtOnce(report, replyTo);
            });
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    SlotTicket first = acme.start("a1", "stay");
    assertEquals(1, first.incarnation());
    RunEvent.PullBody pull = (RunEvent.PullBody) acme.gateway.receiveMessage(PATIENCE);
    Tenant globex = new Tenant("globex", 1, coordinator);
    globex.wants(1);
    globex.start("g1", "");
    assertEquals(RunReport.Outcome.COMPLETED, globex.end().outcome());

    acme.gateway.expectMessage(PATIENCE, new RunEvent.WorkerFailed("a1"));
    KIT.createTestProbe().expectTerminated(pull.run(), PATIENCE);
    assertEquals("g1", settled.receiveMessage(PATIENCE).order().attempt(), "it is still owed");
    WorkerCommand.Description description = describe(worker);
    assertEquals(2, description.incarnation());
    assertEquals(1, description.restarts());
    assertEquals(Map.of("m", 2), description.slots(), "it knows the catalog");
    assertEquals(0, description.running());

    worker.tell(new WorkerCommand.Start(first, order("acme", "a2", ""), acme.gateway.getRef()));
    acme.gateway.expectMessage(PATIENCE, new RunEvent.TicketRefused("a2", first));
    acme.slots.finished(first);
    acme.wants(1);
    SlotTicket second = acme.start("a3", "");
    assertEquals(2, second.incarnation());
    assertEquals(RunReport.Outcome.COMPLETED, acme.end().outcome());
  }

  @Test
  void anIllEndpointTakesItsSlotsOutOfThePoolAndBack() {
    monotonicMillis = clock::millis;
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    ActorRef<SlotOwner> worker =
        worker(coordinator, 3, this::settleAtOnce, RunningActors::run, hasty());
    worker.tell(
        new WorkerCommand.CatalogChanged(new Catalog(2, Map.of("m", upstream("m", 3)), Map.of())));
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    SlotTicket held = acme.ticket().ticket();
    calls(worker, CallOutcome.FAULT, 2);
    worker.tell(new WorkerCommand.Start(held, order("acme", "a1", ""), acme.gateway.getRef()));
    acme.gateway.expectMessage(PATIENCE, new RunEvent.TicketRefused("a1", held));

    clock.pass(OPEN_MIN);
    awaitSlots(worker, Map.of("m", 1));
    assertEquals("half_open", describe(worker).endpoints().getFirst().state());
    acme.slots.finished(held);
    acme.wants(1);
    acme.start("a2", "");
    assertEquals(RunReport.Outcome.COMPLETED, acme.end().outcome(), "who waits is the probe");
    calls(worker, CallOutcome.ANSWERED, 2);
    awaitSlots(worker, Map.of("m", 3));
    WorkerCommand.EndpointView view = describe(worker).endpoints().getFirst();
    assertEquals("closed", view.state());
    assertEquals(1, view.openedTotal());
  }

  @Test
  void aWorkerThatStartsAgainKnowsWhichEndpointsAreIll() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    AtomicBoolean failed = new AtomicBoolean();
    EndpointHealth patient =
        new EndpointHealth(
            new BreakerSettings(10, 2, 0.5, PATIENCE, PATIENCE, 0, PATIENCE, 1, 2), new Random(1));
    ActorRef<SlotOwner> worker =
        worker(
            coordinator,
            1,
            (report, replyTo) -> {
              if (failed.compareAndSet(false, true)) {
                throw new IllegalStateException("the port broke");
              }
              settleAtOnce(report, replyTo);
            },
            RunningActors::run,
            patient);
    worker.tell(
        new WorkerCommand.CatalogChanged(new Catalog(2, Map.of("m", upstream("m", 1)), Map.of())));
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a1", "stay");
    ActorRef<RunControl> run = ((RunEvent.PullBody) acme.gateway.receiveMessage(PATIENCE)).run();
    calls(worker, CallOutcome.FAULT, 2);
    run.tell(new RunControl.Credit(1));
    acme.end();
    settled.receiveMessage(PATIENCE);
    WorkerCommand.Description description = describe(worker);
    assertEquals(2, description.incarnation());
    assertEquals(Map.of(), description.slots());
    assertEquals("open", description.endpoints().getFirst().state());
  }

  @Test
  void aRunGetsNoModelToFallBackToThatIsIllAndAtMostOneRunTriesOneOnProbation() {
    monotonicMillis = clock::millis;
    TestProbe<FairnessCoordinator.Command> coordinator = KIT.createTestProbe();
    TestProbe<RunOrder> orders = KIT.createTestProbe();
    RunFactory runs =
        (order, gateway, noted) -> {
          orders.getRef().tell(order);
          return RunningActors.run(order, gateway, noted);
        };
    ActorRef<SlotOwner> worker = worker(coordinator.getRef(), 4, this::settleAtOnce, runs, hasty());
    ModelSpec other = upstream("m", 1);
    worker.tell(
        new WorkerCommand.CatalogChanged(
            new Catalog(2, Map.of("m", other, "own", upstream("own", 4)), Map.of())));
    calls(worker, CallOutcome.FAULT, 2);
    start(worker, 0, "a1", other);
    assertEquals(List.of(), orders.receiveMessage(PATIENCE).fallbacks());
    clock.pass(OPEN_MIN);
    awaitSlots(worker, Map.of("m", 1, "own", 4));
    start(worker, 1, "a2", other);
    assertEquals(List.of(other), orders.receiveMessage(PATIENCE).fallbacks());
    start(worker, 2, "a3", other);
    assertEquals(List.of(), orders.receiveMessage(PATIENCE).fallbacks());
    calls(worker, CallOutcome.ANSWERED, 2);
    start(worker, 3, "a4", other);
    assertEquals(List.of(other), orders.receiveMessage(PATIENCE).fallbacks());
  }

  @Test
  void whatARunHasSpentSoFarRidesTheNextTable() {
    TestProbe<FairnessCoordinator.Command> coordinator = KIT.createTestProbe();
    ActorRef<SlotOwner> worker = worker(coordinator.getRef(), 1, this::settleAtOnce);
    TestProbe<SlotHolder> holder = KIT.createTestProbe();
    worker.tell(new SlotOwner.Grant(1, "m", 0, 1, "acme", holder.getRef(), true, false));
    SlotTicket ticket = ((SlotHolder.Held) holder.receiveMessage(PATIENCE)).ticket();
    TestProbe<RunEvent> gateway = KIT.createTestProbe();
    worker.tell(new WorkerCommand.Start(ticket, order("acme", "a1", "stay"), gateway.getRef()));
    gateway.receiveMessage(PATIENCE);
    worker.tell(new RunProgress("a1", 10, 5));
    worker.tell(new RunProgress("a1", 10, 45));
    worker.tell(new RunProgress("nobody", 1_000, 1_000));
    PoolTable.SlotRow row = row(coordinator);
    while (row.progressCost() == 0) {
      row = row(coordinator);
    }
    assertEquals(10 + 2 * 45, row.progressCost(), 1e-9);
  }

  private static PoolTable.SlotRow row(TestProbe<FairnessCoordinator.Command> coordinator) {
    while (true) {
      if (coordinator.receiveMessage(PATIENCE) instanceof FairnessCoordinator.WorkerTable table
          && !table.pools().isEmpty()) {
        return table.pools().getFirst().rows().getFirst();
      }
    }
  }

  /** Starts a run that stays, in that slot of the pool named own. */
  private void start(ActorRef<SlotOwner> worker, int slot, String attempt, ModelSpec fallback) {
    TestProbe<SlotHolder> holder = KIT.createTestProbe();
    worker.tell(new SlotOwner.Grant(1, "own", slot, 1, "acme", holder.getRef(), true, false));
    SlotTicket ticket = ((SlotHolder.Held) holder.receiveMessage(PATIENCE)).ticket();
    worker.tell(
        new WorkerCommand.Start(
            ticket,
            order("acme", attempt, "stay").withFallbacks(List.of(fallback)),
            KIT.<RunEvent>createTestProbe().getRef()));
  }
}
