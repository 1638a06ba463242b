package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.TenantClient;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A third node comes to two whose slots are all taken. Its slots are used at once, some of the
 * tenants move to it with what they have used, and no client notices.
 */
@Tag("cluster")
@Tag("cluster-full")
class JoinIT {
  private static final int NODES_BEFORE = 2;
  private static final String MODEL = "crowded";
  private static final int SLOTS_PER_NODE = 4;

  /** Their shards are few of 1,000, so that each moves by itself. */
  private static final int TENANTS = 12;

  /** Of each tenant: three for each slot of two nodes, and two for each of three. */
  private static final int CLIENTS = 2;

  /**
   * Exactly what the clients need: a run that were counted twice after a move would be a refusal.
   */
  private static final String LIMITS =
      """
      {"limits": {"requests_per_minute": 60000, "tokens_per_minute": 50000000,
       "tokens_per_month": 1000000000, "concurrent_requests": 2, "queue_length": 2}}\
      """;

  /** What is promised, on a machine that does nothing else. */
  private static final double RUNS_WITHIN_SECONDS = 10;

  private static final Duration WARM = Duration.ofSeconds(10);

  /** A start on two busy cores, and a rebalance; both are reported as they were. */
  private static final Duration JOINED_MAX = Duration.ofMinutes(5);

  /** Shards move one or a few each {@code rebalance-interval}; this is for all of them. */
  private static final Duration REBALANCE = Duration.ofSeconds(40);

  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final Duration LOOK_EVERY = Duration.ofMillis(100);
  private static final Duration READY_LOOK = Duration.ofSeconds(3);

  @TempDir private Path directory;

  /** When what was seen of a node that joined, in seconds since its start. */
  private static final class Arrival {
    private final long startNanos = System.nanoTime();
    private double ready;
    private double firstRun;
    private double firstTenant;

    /** Looks at it; whether all of it has been seen. */
    boolean isComplete(NodeProcess node) {
      double now = (System.nanoTime() - startNanos) / 1e9;
      if (ready == 0 && node.isReady(READY_LOOK)) {
        ready = now;
      }
      try {
        MetricsPage page = MetricsPage.of(node);
        if (firstRun == 0 && page.sum("rowhouse_worker_runs", "") > 0) {
          firstRun = now;
        }
        if (firstTenant == 0 && settled(page) > 0) {
          firstTenant = now;
        }
      } catch (UncheckedIOException notYet) {
        // It does not listen yet.
      }
      Await.pause(LOOK_EVERY);
      return ready > 0 && firstRun > 0 && firstTenant > 0;
    }

    /** Seconds after it was ready; 0 when it was seen before. */
    double afterReady(double seen) {
      return Math.max(0, seen - ready);
    }
  }

  @Test
  @Timeout(900)
  void aThirdNodeServesAtOnceAndTakesItsShareOfTenants() {
    Network network = RowhouseCluster.network(NODES_BEFORE + 1);
    try (RowhouseCluster cluster =
        RowhouseCluster.prepared(directory, network, NODES_BEFORE + 1).start(NODES_BEFORE)) {
      cluster.upstream().on(MODEL, Behaviour.of(10, 50));
      cluster.operator().addModel(MODEL, cluster.upstream().baseUrl(), SLOTS_PER_NODE);
      Map<String, String> keys = new LinkedHashMap<>();
      for (int i = 0; i < TENANTS; i++) {
        String tenant = "tenant-" + (char) ('a' + i);
        keys.put(tenant, cluster.operator().onboard(tenant, LIMITS));
      }
      Arrival arrival;
      long joining;
      List<Attempt> attempts;
      try (Load load = Load.closed(cluster, MODEL, keys, CLIENTS)) {
        Await.until("all slots are taken and others wait", PATIENCE, () -> isCrowded(cluster, 2));
        Await.pause(WARM);
        joining = load.nowMillis();
        NodeProcess third = cluster.join();
        arrival = new Arrival();
        Await.until("the third node serves", JOINED_MAX, () -> arrival.isComplete(third));
        Await.until("its slots are used up, too", PATIENCE, () -> isCrowded(cluster, 3));
        Await.pause(REBALANCE);
        cluster.awaitWhole();
        load.finish();
        attempts = load.attempts();
      }
      List<Attempt> since =
          attempts.stream().filter(attempt -> attempt.endedMillis() >= joining).toList();
      List<String> failed = Trial.failed(since);
      HistoryChecker.Verdict verdict =
          HistoryChecker.check(attempts, Trial.records(cluster.node(0), keys));
      Map<Integer, Integer> homes = homes(cluster, keys);
      Report.write(
          "join.json",
          Report.object()
              .put("nodes_before", NODES_BEFORE)
              .put("ready_s", seconds(arrival.ready))
              .put("first_run_s", seconds(arrival.afterReady(arrival.firstRun)))
              .put("first_tenant_s", seconds(arrival.afterReady(arrival.firstTenant)))
              .put("failed", failed.size())
              .put("acknowledged", verdict.acknowledged())
              .put("acknowledged_since", since.stream().filter(Attempt::isAcknowledged).count())
              .put("journaled", verdict.journaled())
              .put("lost", verdict.lost().size())
              .put("doubled", verdict.doubled().size())
              .put("tenants", TENANTS)
              .put("tenants_there", homes.getOrDefault(NODES_BEFORE, 0))
              .put("slots_per_node", SLOTS_PER_NODE)
              .put("clients", TENANTS * CLIENTS)
              .put("journal", cluster.journal().name()));
      assertTrue(verdict.isGood(), verdict::toString);
      assertEquals(List.of(), failed);
      assertAll(keys.entrySet().stream().map(it -> () -> assertFiguresAgree(cluster, it)));
      assertTrue(homes.getOrDefault(NODES_BEFORE, 0) > 0, () -> "tenants' homes: " + homes);
      if (network.canCut()) {
        assertTrue(
            cluster.upstream().runningMostOf(network.hostOf(NODES_BEFORE)) <= SLOTS_PER_NODE,
            "more ran at once than may");
      }
      if (Trial.areFiguresChecked()) {
        assertTrue(
            arrival.afterReady(arrival.firstRun) <= RUNS_WITHIN_SECONDS,
            () -> "ran after " + arrival.afterReady(arrival.firstRun) + " s");
      }
    }
  }

  /** As exactly as it was looked at. */
  private static double seconds(double seen) {
    return Math.round(seen * 10) / 10.0;
  }

  /** Whether so many workers are in the pool, and demand is left when all their slots are taken. */
  private static boolean isCrowded(RowhouseCluster cluster, int workers) {
    JsonNode fairness = cluster.operator().get("/admin/fairness").expect(200).json();
    for (JsonNode pool : fairness.path("pools")) {
      if (pool.path("pool").asText().equals(MODEL)) {
        return pool.path("workers").asInt() == workers
            && pool.path("slots").asInt() == workers * SLOTS_PER_NODE
            && pool.path("queue").asInt() > 0;
      }
    }
    return false;
  }

  /** What the tenant's actor has counted, wherever it is now, is what its ledger holds. */
  private static void assertFiguresAgree(
      RowhouseCluster cluster, Map.Entry<String, String> tenant) {
    TenantClient client = cluster.node(0).tenant(tenant.getValue());
    long ledger = client.get("/v1/usage").expect(200).json().at("/total/total_tokens").asLong();
    JsonNode limits = client.get("/v1/limits").expect(200).json().path("limits");
    String who = tenant.getKey();
    assertTrue(ledger > 0, who);
    assertEquals(ledger, limits.at("/tokens_per_month/used").asLong(), who);
    assertEquals(CLIENTS, limits.at("/concurrent_requests/limit").asInt(), who);
    assertEquals(0, limits.at("/concurrent_requests/used").asInt(), who);
  }

  /** How many tenants live on each node: whose node counts what a tenant settles. */
  private static Map<Integer, Integer> homes(RowhouseCluster cluster, Map<String, String> keys) {
    Map<Integer, Integer> homes = new LinkedHashMap<>();
    keys.forEach(
        (tenant, key) -> {
          List<Double> before = cluster.nodes().stream().map(JoinIT::settled).toList();
          cluster.node(0).tenant(key).chat(MODEL, "Where do I live?").expect(200);
          Await.until(
              tenant + " has settled somewhere",
              PATIENCE,
              () -> {
                for (int node = 0; node < before.size(); node++) {
                  if (settled(cluster.node(node)) > before.get(node)) {
                    homes.merge(node, 1, Integer::sum);
                    return true;
                  }
                }
                return false;
              });
        });
    return homes;
  }

  private static double settled(NodeProcess node) {
    return settled(MetricsPage.of(node));
  }

  private static double settled(MetricsPage page) {
    return page.sum("rowhouse_attempts_settled_total", "");
  }
}
