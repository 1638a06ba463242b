package dev.rowhouse.http;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.serving.BudgetMarks;
import dev.rowhouse.serving.SettledCounts;
import dev.rowhouse.serving.Workers;
import dev.rowhouse.usage.UsageRecord;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.util.ByteString;

/**
 * What the node counts, for Prometheus. No label names a tenant, a key or a path: their number has
 * no bound.
 */
final class Metrics {
  private static final ContentType TEXT =
      ContentTypes.parse("text/plain; version=0.0.4; charset=UTF-8");
  private static final double MILLIS_PER_SECOND = 1_000;

  /** The states of a circuit breaker. */
  private static final List<String> STATES = List.of("closed", "open", "half_open");

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Counter requests =
      Counter.builder()
          .name("rowhouse_http_requests_total")
          .help("Requests answered, by plane and class of status.")
          .labelNames("plane", "status")
          .register(registry);
  private final Gauge inFlight =
      Gauge.builder()
          .name("rowhouse_http_requests_in_flight")
          .help("Requests without an answer yet, by plane.")
          .labelNames("plane")
          .register(registry);
  private final Histogram seconds =
      Histogram.builder()
          .name("rowhouse_http_answer_seconds")
          .help("Time from a request to the head of its answer, by plane.")
          .labelNames("plane")
          .classicUpperBounds(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
          .classicOnly()
          .register(registry);

  /** What this node's worker said last; read anew for each page. */
  private volatile List<Workers.View> workerHere = List.of();

  private final Workers workers;
  private final PoolMetrics pools;

  /**
   * Metrics of a node.
   *
   * @param workers the way to this node's worker
   * @param pools the way to the coordinator's figures
   * @param throttled requests that were refused without asking the tenant's actor, so far
   * @param marks budgets that were nearly used up, so far
   */
  Metrics(Workers workers, PoolMetrics pools, LongSupplier throttled, BudgetMarks marks) {
    this.workers = workers;
    this.pools = pools;
    pools.register(registry);
    settled();
    CounterWithCallback.builder()
        .name("rowhouse_budget_marks_total")
        .help("Budgets of a month of which a part was reached, by kind and part.")
        .labelNames("limit", "percent")
        .callback(
            callback ->
                marks
                    .counts()
                    .forEach(
                        (kind, count) ->
                            callback.call(count, kind.limit(), Integer.toString(kind.percent()))))
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_throttled_total")
        .help("Requests of tenants beyond their limits that the gateway refused by itself.")
        .callback(callback -> callback.call((double) throttled.getAsLong()))
        .register(registry);
    JvmMetrics.builder().register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_coordinator_messages_total")
        .help("Messages handled by the fairness coordinator while it was on this node.")
        .callback(callback -> callback.call((double) FairnessCoordinator.messagesHandled()))
        .register(registry);
    GaugeWithCallback.builder()
        .name("rowhouse_model_endpoint_state")
        .help("1 for the state of the circuit breaker of a model's endpoint at this node's worker.")
        .labelNames("model", "state")
        .callback(
            callback ->
                endpoints(
                    endpoint -> {
                      for (String state : STATES) {
                        callback.call(
                            state.equals(endpoint.state()) ? 1 : 0, endpoint.model(), state);
                      }
                    }))
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_model_endpoint_opened_total")
        .help("How often the circuit breaker of a model's endpoint has opened at this node.")
        .labelNames("model")
        .callback(
            callback ->
                endpoints(
                    endpoint -> callback.call((double) endpoint.openedTotal(), endpoint.model())))
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_tickets_refused_total")
        .help("Tickets that this node's worker refused: stale, forged or of somebody else.")
        .labelNames("reason")
        .callback(
            callback ->
                workerHere.forEach(
                    worker ->
                        worker
                            .ticketsRefused()
                            .forEach((reason, count) -> callback.call((double) count, reason))))
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_worker_restarts_total")
        .help("How often this node's worker has failed and started again.")
        .callback(
            callback -> workerHere.forEach(worker -> callback.call((double) worker.restarts())))
        .register(registry);
  }

  private void settled() {
    CounterWithCallback.builder()
        .name("rowhouse_attempts_settled_total")
        .help("Attempts settled by the tenants' actors of this node, by how they ended.")
        .labelNames("status")
        .callback(
            callback -> {
              for (UsageRecord.Status status : UsageRecord.Status.values()) {
                callback.call(
                    (double) SettledCounts.attempts(status),
                    status.name().toLowerCase(Locale.ROOT));
              }
            })
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_tokens_total")
        .help("Tokens of these attempts, in and out.")
        .labelNames("direction")
        .callback(
            callback -> {
              callback.call((double) SettledCounts.inputTokens(), "input");
              callback.call((double) SettledCounts.outputTokens(), "output");
            })
        .register(registry);
    CounterWithCallback.builder()
        .name("rowhouse_queue_seconds_total")
        .help("Time that these attempts waited for a slot, together.")
        .callback(callback -> callback.call(SettledCounts.queuedMillis() / MILLIS_PER_SECOND))
        .register(registry);
    worker("rowhouse_worker_runs", "Runs of this node's worker.", Workers.View::running);
    worker(
        "rowhouse_worker_settlements_pending",
        "Ended runs whose usage nobody has acknowledged to this node's worker yet.",
        Workers.View::settlementsPending);
  }

  private void worker(String name, String help, ToDoubleFunction<Workers.View> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(
            callback -> workerHere.forEach(worker -> callback.call(value.applyAsDouble(worker))))
        .register(registry);
  }

  /** Shows what another room counts upwards. */
  void counts(String name, String help, LongSupplier count) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call((double) count.getAsLong()))
        .register(registry);
  }

  /** Shows what another room measures. */
  void shows(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(value.getAsDouble()))
        .register(registry);
  }

  private void endpoints(Consumer<Workers.Endpoint> each) {
    workerHere.forEach(worker -> worker.endpoints().forEach(each));
  }

  void began(String plane) {
    inFlight.labelValues(plane).inc();
  }

  void ended(String plane, int status, long millis) {
    inFlight.labelValues(plane).dec();
    requests.labelValues(plane, status / 100 + "xx").inc();
    seconds.labelValues(plane).observe(millis / MILLIS_PER_SECOND);
  }

  CompletionStage<HttpResponse> page(Call call) {
    CompletionStage<?> asked = pools.refresh();
    return workers
        .here()
        .thenCombine(asked, (views, pools) -> views)
        .handle(
            (views, failure) -> {
              workerHere = views == null ? List.of() : views;
              return page();
            });
  }

  private HttpResponse page() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create().write(out, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return HttpResponse.create()
        .withEntity(HttpEntities.create(TEXT, ByteString.fromArrayUnsafe(out.toByteArray())));
  }
}
