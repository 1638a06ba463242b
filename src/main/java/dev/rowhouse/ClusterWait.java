package dev.rowhouse;

import dev.rowhouse.fairness.FairnessCoordinator;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.ClusterShardingHealthCheck;
import scala.jdk.javaapi.FutureConverters;

/** What a node that starts waits for in its cluster, each for a bounded time. */
final class ClusterWait {
  private static final Duration POLL = Duration.ofMillis(20);

  private ClusterWait() {}

  /** Tenants' actors are reached as soon as this node's region knows the coordinator of shards. */
  static void awaitSharding(ActorSystem<Void> system, Duration timeout) {
    ClusterShardingHealthCheck check = new ClusterShardingHealthCheck(system.classicSystem());
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        if (FutureConverters.asJava(check.apply()).toCompletableFuture().get()
                instanceof Boolean registered
            && registered) {
          return;
        }
      } catch (ExecutionException e) {
        throw new StartFailure(
            StartFailure.CLUSTER, "The tenants' shards do not answer: " + e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
      }
      if (System.nanoTime() > deadline) {
        throw new StartFailure(
            StartFailure.CLUSTER,
            "The tenants' shards were not to be reached within "
                + timeout.toSeconds()
                + " s. Is there a node with the role tenant in the cluster?");
      }
      pause();
    }
  }

  static void awaitCoordinator(
      ActorSystem<Void> system,
      ActorRef<FairnessCoordinator.Command> coordinator,
      Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        AskPattern.<FairnessCoordinator.Command, FairnessCoordinator.Pong>ask(
                coordinator,
                FairnessCoordinator.Ping::new,
                Duration.ofMillis(250),
                system.scheduler())
            .toCompletableFuture()
            .get();
        return;
      } catch (ExecutionException e) {
        if (System.nanoTime() > deadline) {
          throw new StartFailure(
              StartFailure.CLUSTER,
              "No fairness coordinator answered within " + timeout.toSeconds() + " s.");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.CLUSTER, "Interrupted while starting.");
    }
  }
}
