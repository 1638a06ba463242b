package dev.rowhouse;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.management.cluster.bootstrap.ClusterBootstrap;
import org.apache.pekko.management.javadsl.PekkoManagement;

/**
 * How a node becomes a member: it looks for its seed nodes, or asks a directory of nodes (Pekko
 * Cluster Bootstrap, where {@code rowhouse.cluster.bootstrap} is on), or is a cluster by itself.
 */
final class Joining {
  private static final Duration PAUSE = Duration.ofMillis(20);

  private Joining() {}

  /** Joins, and waits until this node is a member. */
  static void join(ActorSystem<Void> system) {
    Config config = system.settings().config();
    Duration timeout = config.getDuration("rowhouse.cluster.up-timeout");
    Cluster cluster = Cluster.get(system);
    List<String> seeds = config.getStringList(ClusterPlace.SEEDS);
    boolean isBootstrapped = config.getBoolean(ClusterPlace.BOOTSTRAP);
    if (isBootstrapped) {
      bootstrap(system);
    } else if (seeds.isEmpty()) {
      cluster.manager().tell(new Join(cluster.selfMember().address()));
    }
    String others = isBootstrapped ? directory(config) : String.join(", ", seeds);
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!cluster.selfMember().status().equals(MemberStatus.up())) {
      Optional<CoordinatedShutdown.Reason> given =
          CoordinatedShutdown.get(system).getShutdownReason();
      if (given.isPresent() && isIncompatible(given.get())) {
        throw new StartFailure(
            StartFailure.CLUSTER,
            "The cluster at "
                + others
                + " has another rowhouse.cluster.name, or another version's wire format. Start this"
                + " node with that cluster's name and version.");
      }
      if (given.isPresent() || System.nanoTime() > deadline) {
        throw new StartFailure(
            StartFailure.CLUSTER,
            "This node did not become a member of its cluster within "
                + timeout.toSeconds()
                + " s. Are the "
                + (isBootstrapped ? "other" : "seed")
                + " nodes running and reachable, and with the same certificates: "
                + others
                + "?");
      }
      pause();
    }
  }

  /** Answers other nodes on a port of its own, and asks them who leads. */
  private static void bootstrap(ActorSystem<Void> system) {
    try {
      PekkoManagement.get(system.classicSystem()).start().toCompletableFuture().join();
    } catch (CompletionException e) {
      throw new StartFailure(
          StartFailure.ADDRESS,
          "The port for nodes that look for each other (pekko.management.http) cannot be opened: "
              + StorageStart.oneLine(e));
    }
    ClusterBootstrap.get(system.classicSystem()).start();
  }

  private static String directory(Config config) {
    Config discovery =
        config.getConfig("pekko.management.cluster.bootstrap.contact-point-discovery");
    return "service "
        + discovery.getString("service-name")
        + " of "
        + discovery.getString("discovery-method");
  }

  private static boolean isIncompatible(CoordinatedShutdown.Reason reason) {
    return reason.equals(CoordinatedShutdown.incompatibleConfigurationDetectedReason());
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
    }
  }
}
