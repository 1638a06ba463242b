package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.fairness.SlotTicket;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What tenants see of the coordinator by way of a real worker. */
class SharedSlotsTest extends RunningActors {
  private static final ActorTestKit KIT = newKit();

  private final AtomicInteger claims = new AtomicInteger();

  SharedSlotsTest() {
    super(KIT);
  }

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
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
