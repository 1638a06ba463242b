package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSettings;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A worker, a coordinator and tenants as running actors in one process. */
class InferenceWorkerTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          ConfigFactory.parseString(
                  "pekko.actor.provider=local\npekko.loglevel=WARNING\n"
                      + "pekko.coordinated-shutdown.exit-jvm=off")
              .withFallback(ConfigFactory.load("reference.conf"))
              .resolve());

  private static final Config CONF = ConfigFactory.parseResources("fairness.conf").resolve();
  private static final AtomicLong EPOCHS = new AtomicLong();

  private final AtomicLong toCoordinator = new AtomicLong();
  private final AtomicInteger claims = new AtomicInteger();
  private final TestProbe<RunReport> settled = KIT.createTestProbe();
  private final Map<String, Integer> settlementRepeats = new HashMap<>();
  private final List<ActorRef<?>> started = new ArrayList<>();

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  @AfterEach
  void stopActors() {
    started.forEach(KIT::stop);
  }

  /** What a run does is said by the label of its order. */
  private static Behavior<RunControl> run(
      RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunEnded> worker) {
    return Behaviors.setup(
        context -> {
          context.setReceiveTimeout(Duration.ofMillis(5), new RunControl.Cancel());
          gateway.tell(new RunEvent.PullBody(order.attempt(), 0, context.getSelf()));
          return Behaviors.receiveMessage(
              message -> {
                if ("crash".equals(order.label())) {
                  throw new IllegalStateException("the engine broke");
                }
                if ("stay".equals(order.label()) && message instanceof RunControl.Cancel) {
                  return Behaviors.same();
                }
                RunReport report = report(order);
                gateway.tell(new RunEvent.Ended(order.attempt(), report, List.of()));
                worker.tell(new RunEnded(order.attempt(), report));
                return Behaviors.stopped();
              });
        });
  }

  private static RunReport report(RunOrder order) {
    return new RunReport(
        order, RunReport.Outcome.COMPLETED, 10, 45, false, "m", null, null, 200, 1, 2);
  }

  private static ModelSpec model(int slots) {
    return new ModelSpec("m", "embedded", null, null, null, slots, null, 0, 0, 1, 2, null, null);
  }

  private static RunOrder order(String tenant, String attempt, String label) {
    return new RunOrder(
        attempt,
        new TenantId(tenant),
        "k",
        "m",
        model(1),
        List.of(),
        false,
        false,
        label,
        Instant.now(),
        0,
        Instant.now().plusSeconds(60),
        10,
        null,
        null,
        Map.of(),
        0);
  }

  private <T> ActorRef<T> spawn(Behavior<T> behavior) {
    ActorRef<T> ref = KIT.spawn(behavior);
    started.add(ref);
    return ref;
  }

  private ActorRef<FairnessCoordinator.Command> coordinator(
      Supplier<CompletionStage<Long>> claimEpoch) {
    return spawn(
        Behaviors.monitor(
            FairnessCoordinator.Command.class,
            spawn(Behaviors.receiveMessage(this::count)),
            FairnessCoordinator.create(FairnessSettings.from(CONF), claimEpoch)));
  }

  private Behavior<FairnessCoordinator.Command> count(FairnessCoordinator.Command command) {
    if (command instanceof FairnessCoordinator.Demand
        || command instanceof FairnessCoordinator.WorkerTable) {
      toCoordinator.incrementAndGet();
    }
    return Behaviors.same();
  }

  private ActorRef<FairnessCoordinator.Command> coordinator() {
    return coordinator(() -> CompletableFuture.completedFuture(EPOCHS.incrementAndGet()));
  }

  private ActorRef<SlotOwner> worker(
      ActorRef<FairnessCoordinator.Command> coordinator, int slots, SettlementPort port) {
    ActorRef<SlotOwner> worker =
        spawn(
            InferenceWorker.create(
                "w1", 1, coordinator, InferenceWorkerTest::run, port, WorkerSettings.from(CONF)));
    worker.tell(
        new WorkerCommand.CatalogChanged(new Catalog(1, Map.of("m", model(slots)), Map.of())));
    return worker;
  }

  private void settleAtOnce(RunReport report, ActorRef<WorkerCommand.Settled> worker) {
    worker.tell(new WorkerCommand.Settled(report.order().attempt()));
    settled.getRef().tell(report);
  }

  /** A tenant by hand: its slots, its inbox for tickets, its gateway. */
  private final class Tenant {
    final String name;
    final double weight;
    final BlockingQueue<SlotHolder> tickets = new LinkedBlockingQueue<>();
    final ActorRef<SlotHolder> holder;
    final TestProbe<RunEvent> gateway = KIT.createTestProbe();
    final SlotUser slots;
    final ActorRef<FairnessCoordinator.Command> coordinator;

    Tenant(String name, double weight, ActorRef<FairnessCoordinator.Command> coordinator) {
      this.name = name;
      this.weight = weight;
      this.coordinator = coordinator;
      this.holder =
          spawn(
              Behaviors.receiveMessage(
                  message -> {
                    tickets.add(message);
                    return Behaviors.same();
                  }));
      this.slots = new SlotUser(name, 1, holder);
    }

    void wants(int pending) {
      coordinator.tell(slots.demand("m", pending, 100, weight, 0, null));
    }

    boolean hear(Duration patience) {
      SlotHolder message;
      try {
        message = tickets.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
      return switch (message) {
        case SlotHolder.Held held -> slots.offer(held);
        case SlotHolder.Withdrawn withdrawn -> {
          slots.withdrawn(withdrawn.ticket());
          yield true;
        }
        case null -> false;
      };
    }

    SlotUser.HeldTicket ticket() {
      long until = System.nanoTime() + 5_000_000_000L;
      while (slots.idle("m") == 0) {
        hear(Duration.ofMillis(100));
        assertTrue(System.nanoTime() < until, "no ticket for " + name);
      }
      return Objects.requireNonNull(slots.take("m"));
    }

    SlotTicket start(String attempt, String label) {
      SlotUser.HeldTicket held = ticket();
      held.worker()
          .tell(
              new WorkerCommand.Start(
                  held.ticket(), order(name, attempt, label), gateway.getRef()));
      return held.ticket();
    }

    RunReport end() {
      RunEvent event = gateway.receiveMessage(Duration.ofSeconds(5));
      while (event instanceof RunEvent.PullBody) {
        event = gateway.receiveMessage(Duration.ofSeconds(5));
      }
      return ((RunEvent.Ended) event).report();
    }
  }

  @Test
  void withoutContentionASecondRequestNeedsNoMessageToTheCoordinator() throws Exception {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a0", "");
    acme.wants(0);
    acme.end();
    Thread.sleep(200);
    long before = toCoordinator.get();
    long begun = System.nanoTime();
    for (int request = 1; request <= 50; request++) {
      acme.start("a" + request, "");
      acme.end();
    }
    long seconds = 1 + (System.nanoTime() - begun) / 1_000_000_000;
    assertTrue(toCoordinator.get() - before <= seconds, "only the table of each second");
  }

  @Test
  void underContentionSlotsChangeHandsByWeight() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 1, this::settleAtOnce);
    Map<String, Integer> runs = new HashMap<>();
    List<Tenant> tenants =
        List.of(new Tenant("acme", 1, coordinator), new Tenant("globex", 3, coordinator));
    tenants.forEach(tenant -> tenant.wants(1_000));
    int attempt = 0;
    while (attempt < 80) {
      for (Tenant tenant : tenants) {
        tenant.hear(Duration.ofMillis(1));
        if (tenant.slots.idle("m") > 0) {
          SlotTicket ticket = tenant.start(tenant.name + attempt, "");
          tenant.end();
          tenant.slots.finished(ticket);
          tenant.wants(1_000);
          runs.merge(tenant.name, 1, Integer::sum);
          attempt++;
        }
      }
    }
    assertEquals(3.0, (double) runs.getOrDefault("globex", 0) / runs.getOrDefault("acme", 1), 0.5);
  }

  @Test
  void aTenantThatKeepsSlotsGivesOneUpWhenAnotherComes() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 2, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(2);
    acme.start("a1", "");
    acme.start("a2", "");
    acme.wants(0);
    acme.end();
    acme.end();
    Tenant globex = new Tenant("globex", 1, coordinator);
    globex.wants(1);
    globex.start("g1", "");
    assertEquals(RunReport.Outcome.COMPLETED, globex.end().outcome());
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
        ((RunEvent.PullBody) globex.gateway.receiveMessage(Duration.ofSeconds(5))).run();
    acme.wants(1);
    SlotTicket crashed = acme.start("a1", "crash");
    RunReport report = acme.end();
    assertEquals(RunReport.Outcome.FAILED, report.outcome());
    assertEquals("upstream_error", report.errorCode());
    assertEquals(502, report.httpStatus());
    assertEquals("a1", settled.receiveMessage(Duration.ofSeconds(5)).order().attempt());
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
    thief.expectMessage(new RunEvent.TicketRefused("a2"));
    SlotTicket next = acme.ticket().ticket();
    worker.tell(new WorkerCommand.Start(next, order("globex", "g1", ""), thief.getRef()));
    thief.expectMessage(new RunEvent.TicketRefused("g1"));
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
      assertEquals(send, sends.receiveMessage(Duration.ofSeconds(5)));
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
    ActorRef<RunControl> run =
        ((RunEvent.PullBody) acme.gateway.receiveMessage(Duration.ofSeconds(5))).run();
    TestProbe<Done> drained = KIT.createTestProbe();
    worker.tell(new WorkerCommand.Drain(drained.getRef()));
    drained.expectNoMessage(Duration.ofMillis(200));
    run.tell(new RunControl.Credit(1));
    drained.expectMessage(Done.getInstance());
    drained.expectTerminated(worker);
  }

  @Test
  void aNewCoordinatorKeepsTheHolders() {
    ActorRef<FairnessCoordinator.Command> first = coordinator();
    ActorRef<FairnessCoordinator.Command>[] current = refs(first);
    ActorRef<FairnessCoordinator.Command> proxy =
        spawn(
            Behaviors.receiveMessage(
                message -> {
                  current[0].tell(message);
                  return Behaviors.same();
                }));
    worker(proxy, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, proxy);
    acme.wants(1);
    acme.start("a1", "");
    acme.end();
    acme.wants(0);
    KIT.stop(first);
    acme.start("a2", "");
    acme.end();
    current[0] = coordinator();
    TestProbe<FairnessSnapshot> snapshots = KIT.createTestProbe();
    snapshots.awaitAssert(
        Duration.ofSeconds(5),
        () -> {
          current[0].tell(new FairnessCoordinator.Snapshot(0, 10, snapshots.getRef()));
          FairnessSnapshot.PoolView pool = snapshots.receiveMessage().pools().getFirst();
          assertEquals(1, pool.tenants().getFirst().held());
          return pool;
        });
    acme.start("a3", "");
    acme.end();
    assertFalse(acme.slots.isEmpty());
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // An array of one generic reference, written by the test only.
  private static <T> ActorRef<T>[] refs(ActorRef<T>... refs) {
    return refs;
  }

  @Test
  void aCoordinatorActsOnceItHasAnEpoch() {
    ActorRef<FairnessCoordinator.Command> coordinator =
        coordinator(
            () ->
                claims.incrementAndGet() < 3
                    ? CompletableFuture.failedFuture(new IllegalStateException("journal away"))
                    : CompletableFuture.completedFuture(EPOCHS.incrementAndGet()));
    TestProbe<FairnessCoordinator.Pong> pongs = KIT.createTestProbe();
    coordinator.tell(new FairnessCoordinator.Ping(pongs.getRef()));
    pongs.expectNoMessage(Duration.ofMillis(100));
    worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a1", "");
    acme.end();
    coordinator.tell(new FairnessCoordinator.Ping(pongs.getRef()));
    assertEquals(EPOCHS.get(), pongs.receiveMessage().epoch());
  }

  @Test
  void theSlotsOfATenantThatDiesAreFreeForOthers() {
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.ticket();
    KIT.stop(acme.holder);
    Tenant globex = new Tenant("globex", 1, coordinator);
    globex.wants(1);
    globex.start("g1", "");
    assertEquals(RunReport.Outcome.COMPLETED, globex.end().outcome());
  }
}
