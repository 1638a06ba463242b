package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * Liveness and readiness. Alive is who can answer at all, whatever the database does; ready is who
 * has its journal, is a member of the cluster and among its majority, reaches the tenants' shards,
 * and has heard the coordinator once since its start (not at every moment: a failover must not
 * unready every node).
 */
public final class Health {
  /** What a node needs before it serves. */
  public enum Need {
    MEMBER,
    MAJORITY,
    SHARDING,
    JOURNAL,
    COORDINATOR
  }

  private final Map<Need, Boolean> met = new ConcurrentHashMap<>();
  private volatile BooleanSupplier journal = () -> false;
  private volatile BooleanSupplier majority = () -> false;
  private volatile boolean draining;

  public void met(Need need, boolean isMet) {
    met.put(need, isMet);
  }

  /** Whether the journal takes writes is asked for each time. */
  public void journal(BooleanSupplier available) {
    journal = available;
  }

  /** Whether this node is among the majority of its cluster is asked for each time, too. */
  public void majority(BooleanSupplier held) {
    majority = held;
  }

  public boolean hasMajority() {
    return majority.getAsBoolean();
  }

  private boolean isMet(Need need) {
    return switch (need) {
      case JOURNAL -> journal.getAsBoolean();
      case MAJORITY -> majority.getAsBoolean();
      case MEMBER, SHARDING, COORDINATOR -> met.getOrDefault(need, false);
    };
  }

  /** From now on the node is not ready: it is on its way out. */
  public void drain() {
    draining = true;
  }

  public boolean isReady() {
    for (Need need : Need.values()) {
      if (!isMet(need)) {
        return false;
      }
    }
    return !draining;
  }

  CompletionStage<HttpResponse> alive(Call call) {
    return CompletableFuture.completedFuture(
        Replies.json(200, Json.object().put("status", "alive")));
  }

  CompletionStage<HttpResponse> ready(Call call) {
    ObjectNode body = Json.object().put("status", isReady() ? "ready" : "not_ready");
    ObjectNode checks = body.putObject("checks");
    for (Need need : Need.values()) {
      checks.put(need.name().toLowerCase(java.util.Locale.ROOT), isMet(need));
    }
    new TreeMap<>(Map.of("draining", draining)).forEach(checks::put);
    return CompletableFuture.completedFuture(Replies.json(isReady() ? 200 : 503, body));
  }

  /** The same for Prometheus: alerts look back, probes do not. */
  void watch(Metrics metrics) {
    metrics.shows("rowhouse_ready", "1 while the node takes requests.", () -> isReady() ? 1 : 0);
    metrics.shows(
        "rowhouse_journal_available",
        "1 while the journal takes writes of this node.",
        () -> journal.getAsBoolean() ? 1 : 0);
  }
}
