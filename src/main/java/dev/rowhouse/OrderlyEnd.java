package dev.rowhouse;

import dev.rowhouse.http.Health;
import dev.rowhouse.http.Planes;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * The order in which a node ends: answers in hand finish first, then the worker, then shards and
 * journal, in Pekko's phases.
 */
final class OrderlyEnd {
  /** Whoever could let an answer in flight end is out of reach. */
  private static final Duration DOWNED_DRAIN = Duration.ofSeconds(1);

  private OrderlyEnd() {}

  /**
   * Arranges it.
   *
   * @return open when the system has ended, for whatever reason
   */
  static CountDownLatch arrange(ActorSystem<Void> system, Health health, Planes planes) {
    CountDownLatch ended = new CountDownLatch(1);
    CoordinatedShutdown shutdown = CoordinatedShutdown.get(system);
    Duration unready = system.settings().config().getDuration("rowhouse.http.unready-delay");
    shutdown.addTask(
        CoordinatedShutdown.PhaseBeforeServiceUnbind(),
        "not-ready",
        () -> {
          health.drain();
          return CompletableFuture.supplyAsync(
              Done::getInstance,
              CompletableFuture.delayedExecutor(
                  isDowned(system) ? 0 : unready.toMillis(), TimeUnit.MILLISECONDS));
        });
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceRequestsDone(),
        "drain-tenant-plane",
        () ->
            (isDowned(system) ? planes.drain(DOWNED_DRAIN) : planes.drain())
                .thenApply(done -> Done.getInstance()));
    shutdown.addTask(
        CoordinatedShutdown.PhaseServiceStop(),
        "close-operator-plane",
        () -> planes.closeOperatorPlane().thenApply(done -> Done.getInstance()));
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              ended.countDown();
            });
    return ended;
  }

  /** Whether the cluster has put this node out; it has stopped by itself then. */
  static boolean isDowned(ActorSystem<?> system) {
    return CoordinatedShutdown.get(system)
        .getShutdownReason()
        .filter(CoordinatedShutdown.clusterDowningReason()::equals)
        .isPresent();
  }
}
