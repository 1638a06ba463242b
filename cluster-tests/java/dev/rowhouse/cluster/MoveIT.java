package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.Reply;
import dev.rowhouse.node.TenantClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tenant whose shard moves takes its queue, its runs and its limits along. */
@Tag("cluster")
@Tag("cluster-full")
class MoveIT {
  private static final String MODEL = "held";
  private static final int TENANTS = 6;
  private static final int SLOTS = 6;

  /** Of each tenant, between admission and the final answer; most of them wait. */
  private static final int CONCURRENT = 3;

  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @TempDir private Path directory;

  @Test
  @Timeout(600)
  void whatRunsAndWaitsIsKeptWhenANodeLeaves() throws Exception {
    try (RowhouseCluster cluster = RowhouseCluster.prepared(directory, new Loopback(2), 2)) {
      // Half of the tenants live on a node that does nothing else, so that it can leave at once.
      cluster.node(1).with("ROWHOUSE_ROLES", "tenant");
      cluster.start();
      cluster.upstream().on(MODEL, Behaviour.of(2, 0)).hold(MODEL);
      cluster.operator().addModel(MODEL, cluster.upstream().baseUrl(), SLOTS);
      Map<String, TenantClient> clients = new LinkedHashMap<>();
      for (int tenant = 0; tenant < TENANTS; tenant++) {
        String name = "mover-" + tenant;
        String limits = "{\"limits\": {\"concurrent_requests\": %d}}".formatted(CONCURRENT);
        clients.put(name, cluster.node(0).tenant(cluster.operator().onboard(name, limits)));
      }
      List<Future<Reply>> answers = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (TenantClient client : clients.values()) {
          for (int i = 0; i < CONCURRENT; i++) {
            answers.add(threads.submit(() -> client.chat(MODEL, "Hold on.")));
          }
        }
        Await.until("all slots run", PATIENCE, () -> cluster.upstream().running() == SLOTS);
        Await.until("the others wait", PATIENCE, () -> areFull(clients));

        assertEquals(0, cluster.node(1).stop(), cluster.node(1).log());

        Await.until("all are counted elsewhere", PATIENCE, () -> areFull(clients));
        clients.forEach(
            (name, client) -> assertEquals(429, client.chat(MODEL, "Me too.").status(), name));
        assertEquals(SLOTS, cluster.upstream().running());
        cluster.upstream().letGo(MODEL);
        for (Future<Reply> answer : answers) {
          answer.get().expect(200);
        }
        assertTrue(cluster.upstream().runningMost() <= SLOTS, "more ran at once than may");
        assertEquals(TENANTS * CONCURRENT, cluster.upstream().calls(), "each ran exactly once");
      }
    }
  }

  /** All that were admitted are counted, wherever their tenant's actor is. */
  private static boolean areFull(Map<String, TenantClient> clients) {
    return clients.values().stream()
        .allMatch(
            client -> {
              Reply limits = client.get("/v1/limits");
              return limits.status() == 200
                  && limits.json().path("limits").path("concurrent_requests").path("used").asInt()
                      == CONCURRENT;
            });
  }
}
