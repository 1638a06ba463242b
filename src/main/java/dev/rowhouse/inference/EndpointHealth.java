package dev.rowhouse.inference;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The circuit breakers of a worker, one for each endpoint: an upstream's address and the model
 * there. Models of the house that share an endpoint share its breaker. Pure, and the worker's own.
 */
public final class EndpointHealth {
  /** At most so many slots of a pool are open. */
  record Cap(String pool, int slotsMax) {}

  private record Endpoint(String baseUrl, String model) {}

  private final BreakerSettings settings;
  private final RandomGenerator random;
  private final Map<Endpoint, CircuitBreaker> breakers = new HashMap<>();
  private final Map<String, Endpoint> endpoints = new LinkedHashMap<>();

  /** Nothing is known of any endpoint. */
  public EndpointHealth(BreakerSettings settings, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
  }

  /** These are the models from now on; gives the caps of all of them. */
  List<Cap> catalog(Catalog catalog) {
    endpoints.clear();
    for (ModelSpec model : catalog.models().values()) {
      String baseUrl = model.baseUrl();
      if (baseUrl != null) {
        String upstream = model.upstreamModel();
        endpoints.put(
            model.name(), new Endpoint(baseUrl, upstream == null ? model.name() : upstream));
      }
    }
    breakers.keySet().retainAll(endpoints.values());
    endpoints
        .values()
        .forEach(
            endpoint ->
                breakers.computeIfAbsent(endpoint, _ -> new CircuitBreaker(settings, random)));
    List<Cap> caps = new ArrayList<>();
    catalog.models().keySet().forEach(pool -> caps.add(new Cap(pool, slotsMax(pool))));
    return caps;
  }

  /** A call has ended; gives the caps that it changes. */
  List<Cap> ended(CallEnded end, long nowMillis) {
    Endpoint endpoint = endpoints.get(end.model());
    CircuitBreaker breaker = endpoint == null ? null : breakers.get(endpoint);
    return endpoint != null
            && breaker != null
            && breaker.ended(
                end.outcome(), nowMillis - end.tookMillis(), end.retryAfterMillis(), nowMillis)
        ? caps(endpoint::equals)
        : List.of();
  }

  /** Time has passed; gives the caps that it changes. */
  List<Cap> tick(long nowMillis) {
    List<Cap> caps = new ArrayList<>();
    breakers.forEach(
        (endpoint, breaker) -> {
          if (breaker.tick(nowMillis)) {
            caps.addAll(caps(endpoint::equals));
          }
        });
    return caps;
  }

  /** When time changes something next; the greatest time of all when nothing is open. */
  long dueMillis() {
    return breakers.values().stream()
        .mapToLong(CircuitBreaker::reopensMillis)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  CircuitBreaker.State state(String pool) {
    CircuitBreaker breaker = breaker(pool);
    return breaker == null ? CircuitBreaker.State.CLOSED : breaker.state();
  }

  /** How many runs may use the endpoint of that pool as a fallback, as things stand. */
  int slotsMax(String pool) {
    return switch (state(pool)) {
      case CLOSED -> Integer.MAX_VALUE;
      case OPEN -> 0;
      case HALF_OPEN -> settings.probes();
    };
  }

  /** Each pool that has an endpoint, as an operator sees it. */
  List<WorkerCommand.EndpointView> views(long nowMillis) {
    List<WorkerCommand.EndpointView> views = new ArrayList<>();
    new TreeMap<>(endpoints)
        .forEach(
            (pool, endpoint) -> {
              CircuitBreaker breaker = breakers.get(endpoint);
              if (breaker != null) {
                long reopens = breaker.reopensMillis();
                views.add(
                    new WorkerCommand.EndpointView(
                        pool,
                        breaker.state().name().toLowerCase(java.util.Locale.ROOT),
                        breaker.isThrottled(),
                        reopens == Long.MAX_VALUE ? 0 : Math.max(0, reopens - nowMillis),
                        breaker.calls(),
                        breaker.failures(),
                        breaker.openedTotal()));
              }
            });
    return views;
  }

  private @Nullable CircuitBreaker breaker(String pool) {
    Endpoint endpoint = endpoints.get(pool);
    return endpoint == null ? null : breakers.get(endpoint);
  }

  private List<Cap> caps(Predicate<Endpoint> which) {
    List<Cap> caps = new ArrayList<>();
    endpoints.forEach(
        (pool, endpoint) -> {
          if (which.test(endpoint)) {
            caps.add(new Cap(pool, slotsMax(pool)));
          }
        });
    return caps;
  }
}
