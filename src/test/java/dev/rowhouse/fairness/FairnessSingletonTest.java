package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.SharedKit;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The coordinator as the singleton of a cluster of one node. */
class FairnessSingletonTest {
  @RegisterExtension
  static final SharedKit KIT =
      new SharedKit(
          () ->
              ActorTestKit.create(
                  ConfigFactory.parseString(
                          """
                          pekko {
                            actor.provider = cluster
                            actor.allow-java-serialization = off
                            loglevel = WARNING
                            remote.artery.canonical { hostname = 127.0.0.1, port = 0 }
                            cluster.roles = [tenant]
                            cluster.jmx.multi-mbeans-in-same-jvm = on
                            coordinated-shutdown.exit-jvm = off
                          }
                          """)
                      .withFallback(ConfigFactory.load("reference.conf"))
                      .resolve()));

  /** One cluster, one singleton: the tests of its life are one story. */
  @Test
  void answersAPingByWayOfItsProxyCountsWhatItHandlesAndComesBackAfterACrash() {
    AtomicLong epochs = new AtomicLong(6);
    Cluster cluster = Cluster.get(KIT.system());
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    ActorRef<FairnessCoordinator.Command> proxy =
        FairnessCoordinator.init(
            KIT.system(),
            FairnessSettings.from(ConfigFactory.parseResources("fairness.conf").resolve()),
            () -> CompletableFuture.completedFuture(epochs.incrementAndGet()));
    assertEquals(7, awaitPong(proxy).epoch());
    long counted = messages(proxy);
    assertEquals(counted + 1, messages(proxy), "its own timers are left out");
    assertTrue(FairnessCoordinator.messagesHandled() > counted, "counted for the process too");
    ActorRef<Object> anything = proxy.unsafeUpcast();
    anything.tell("no command of a coordinator");
    assertEquals(8, awaitPong(proxy).epoch(), "a new one acts, under an epoch of its own");
  }

  private static FairnessCoordinator.Pong awaitPong(ActorRef<FairnessCoordinator.Command> proxy) {
    TestProbe<FairnessCoordinator.Pong> pongs = KIT.createTestProbe();
    return pongs.awaitAssert(
        Duration.ofSeconds(90),
        () -> {
          proxy.tell(new FairnessCoordinator.Ping(pongs.getRef()));
          return pongs.receiveMessage(Duration.ofMillis(500));
        });
  }

  private static long messages(ActorRef<FairnessCoordinator.Command> proxy) {
    TestProbe<FairnessSnapshot> snapshots = KIT.createTestProbe();
    proxy.tell(new FairnessCoordinator.Snapshot(0, 10, snapshots.getRef()));
    return snapshots.receiveMessage(Duration.ofSeconds(20)).messages();
  }
}
