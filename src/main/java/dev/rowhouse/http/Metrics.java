package dev.rowhouse.http;

import dev.rowhouse.fairness.FairnessCoordinator;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
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

  /**
   * Metrics of a node.
   *
   * @param throttled requests that were refused without asking the tenant's actor, so far
   */
  Metrics(LongSupplier throttled) {
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
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create().write(out, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return CompletableFuture.completedFuture(
        HttpResponse.create()
            .withEntity(HttpEntities.create(TEXT, ByteString.fromArrayUnsafe(out.toByteArray()))));
  }
}
