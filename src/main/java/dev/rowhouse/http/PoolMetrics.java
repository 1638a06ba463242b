package dev.rowhouse.http;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.fairness.FairnessSnapshot.PoolView;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.ToDoubleFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * What the coordinator says of its pools, on every node's page: each pool has the same figures on
 * all of them, so a query takes the maximum, not the sum. A label names a pool, which is a model.
 */
final class PoolMetrics {
  /** A page must not wait for a coordinator that moves; it then has no pools. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** The most active tenants, among which the longest wait is looked for. */
  private static final int TENANTS = 50;

  private static final double MILLIS_PER_SECOND = 1_000;

  private final ActorSystem<?> system;
  private final ActorRef<FairnessCoordinator.Command> coordinator;
  private volatile List<PoolView> pools = List.of();

  PoolMetrics(ActorSystem<?> system, ActorRef<FairnessCoordinator.Command> coordinator) {
    this.system = system;
    this.coordinator = coordinator;
  }

  void register(PrometheusRegistry registry) {
    gauge(registry, "rowhouse_pool_slots", "Slots of all workers of the pool.", PoolView::slots);
    gauge(registry, "rowhouse_pool_slots_free", "Slots that could be granted now.", PoolView::free);
    gauge(
        registry,
        "rowhouse_pool_backlog",
        "Requests that wait for a slot of the pool.",
        PoolView::backlog);
    gauge(
        registry,
        "rowhouse_pool_capacity_tokens_per_second",
        "Weighted tokens a second that all slots would do by the speed of late; 0 is not known.",
        PoolView::costPerSecond);
    gauge(
        registry,
        "rowhouse_pool_oldest_wait_seconds",
        "How long the first of those that wait has waited.",
        pool ->
            pool.tenants().stream()
                    .mapToLong(FairnessSnapshot.TenantView::oldestWaitMillis)
                    .max()
                    .orElse(0)
                / MILLIS_PER_SECOND);
  }

  private void gauge(
      PrometheusRegistry registry, String name, String help, ToDoubleFunction<PoolView> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("pool")
        .callback(
            callback ->
                pools.forEach(pool -> callback.call(value.applyAsDouble(pool), pool.pool())))
        .register(registry);
  }

  /** Asks anew; completes in any case. */
  CompletionStage<?> refresh() {
    return AskPattern.<FairnessCoordinator.Command, FairnessSnapshot>ask(
            coordinator,
            replyTo -> new FairnessCoordinator.Snapshot(0, TENANTS, replyTo),
            PATIENCE,
            system.scheduler())
        .handle(
            (snapshot, failure) -> {
              pools = snapshot == null ? List.of() : snapshot.pools();
              return pools;
            });
  }
}
