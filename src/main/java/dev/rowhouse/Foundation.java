package dev.rowhouse;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Fence;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.ClusterSecret;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.WriteFence;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;

/**
 * What every room of a node stands on.
 *
 * @param self the address by which the cluster knows this node
 */
record Foundation(
    DataDirectory data,
    Storage storage,
    ActorSystem<Void> system,
    InstantSource clock,
    Executor blocking,
    String self,
    Fence fence,
    DataKeys keys,
    ClusterSecret secret) {
  private static final Duration RESTART_MIN = Duration.ofMillis(500);
  private static final Duration RESTART_MAX = Duration.ofSeconds(10);
  private static final double RESTART_JITTER = 0.2;

  /** Of a node that is a member of its cluster. */
  static Foundation open(DataDirectory data, Storage storage, ActorSystem<Void> system) {
    InstantSource clock = InstantSource.system();
    Executor blocking =
        system.dispatchers().lookup(DispatcherSelector.fromConfig("rowhouse.blocking-dispatcher"));
    String self = Cluster.get(system).selfMember().address().toString();
    Fence fence = Fence.open(storage, clock);
    DataKeys keys =
        Vault.open(
            data.path(), System.getenv(), storage, system.settings().config(), blocking, clock);
    return new Foundation(
        data, storage, system, clock, blocking, self, fence, keys, clusterSecret(data));
  }

  private static ClusterSecret clusterSecret(DataDirectory data) {
    try {
      return ClusterSecret.load(data.path(), System.getenv(), new SecureRandom());
    } catch (IOException | IllegalArgumentException e) {
      throw new StartFailure(
          StartFailure.DATA_DIRECTORY, "The cluster secret cannot be used: " + e.getMessage());
    }
  }

  Config config() {
    return system.settings().config();
  }

  boolean hasRole(String role) {
    return Cluster.get(system).selfMember().hasRole(role);
  }

  /** One in the cluster, on a node with the role tenant; after a failure it starts again. */
  <T> ActorRef<T> singleton(Behavior<T> behavior, String name) {
    return ClusterSingleton.get(system)
        .init(
            SingletonActor.of(
                    Behaviors.supervise(behavior)
                        .onFailure(
                            SupervisorStrategy.restartWithBackoff(
                                RESTART_MIN, RESTART_MAX, RESTART_JITTER)),
                    name)
                .withSettings(ClusterSingletonSettings.create(system).withRole("tenant")));
  }

  /** An actor of this node. */
  <T> ActorRef<T> actor(Behavior<T> behavior, String name) {
    return system.systemActorOf(behavior, name, DispatcherSelector.defaultDispatcher());
  }

  /** The Fence as a writer of a record or catalog asks it. */
  WriteFence writeFence() {
    return new WriteFence() {
      @Override
      public CompletionStage<Long> claim(String name) {
        return fence.claim(name, self, blocking);
      }

      @Override
      public CompletionStage<Boolean> isLatest(String name, long number) {
        return fence.check(name, number, blocking);
      }
    };
  }
}
