package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.fairness.SlotTicket;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What tenants see of the coordinator by way of a real worker. */
class SharedSlotsTest extends RunningActors {
  @RegisterExtension static final SharedKit KIT = new SharedKit(() -> newKit());

  private final AtomicInteger claims = new AtomicInteger();

  SharedSlotsTest() {
    super(KIT.get());
  }

  @Test
  void withoutContentionASecondRequestNeedsNoMessageToTheCoordinator() {
    // What the worker tells the coordinator by the clock is of no interest here.
    conf =
        ConfigFactory.parseString("rowhouse.fairness.worker.table-interval = 1h")
            .withFallback(conf);
    ActorRef<FairnessCoordinator.Command> coordinator = coordinator();
    worker(coordinator, 1, this::settleAtOnce);
    Tenant acme = new Tenant("acme", 1, coordinator);
    acme.wants(1);
    acme.start("a0", "");
    acme.wants(0);
    acme.end();
    // The words of the beginning may be under way yet; a word of each request would never end.
    int round = 0;
    while (messagesOfRequests(acme, "round" + round + "-") > 0) {
      assertTrue(++round < 20, "no 50 requests without a message to the coordinator");
    }
  }

  private long messagesOfRequests(Tenant tenant, String attempts) {
    long before = toCoordinator.get();
    for (int request = 1; request <= 50; request++) {
      tenant.start(attempts + request, "");
      tenant.end();
    }
    return toCoordinator.get() - before;
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
    AtomicReference<ActorRef<FairnessCoordinator.Command>> current = new AtomicReference<>(first);
    ActorRef<FairnessCoordinator.Command> proxy =
        spawn(
            Behaviors.receiveMessage(
                message -> {
                  current.get().tell(message);
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
    current.set(coordinator());
    TestProbe<FairnessSnapshot> snapshots = KIT.createTestProbe();
    snapshots.awaitAssert(
        PATIENCE,
        () -> {
          current.get().tell(new FairnessCoordinator.Snapshot(0, 10, snapshots.getRef()));
          FairnessSnapshot.PoolView pool = snapshots.receiveMessage().pools().getFirst();
          assertEquals(1, pool.tenants().getFirst().held());
          return pool;
        });
    acme.start("a3", "");
    acme.end();
    assertFalse(acme.slots.isEmpty());
  }

  @Test
  void aCoordinatorActsOnceItHasAnEpoch() {
    AtomicBoolean journalIsAway = new AtomicBoolean(true);
    ActorRef<FairnessCoordinator.Command> coordinator =
        coordinator(
            () ->
                claims.incrementAndGet() < 3 || journalIsAway.get()
                    ? CompletableFuture.failedFuture(new IllegalStateException("journal away"))
                    : CompletableFuture.completedFuture(EPOCHS.incrementAndGet()));
    TestProbe<FairnessCoordinator.Pong> pongs = KIT.createTestProbe();
    coordinator.tell(new FairnessCoordinator.Ping(pongs.getRef()));
    pongs.expectNoMessage(Duration.ofMillis(100));
    pongs.awaitAssert(
        PATIENCE,
        () -> {
          assertTrue(claims.get() >= 3, "it tries again");
          return claims.get();
        });
    journalIsAway.set(false);
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
