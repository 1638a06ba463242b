package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.Reply;
import dev.rowhouse.node.TenantClient;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An index follows its tenant. Each node in turn is killed or stopped, documents come while it is
 * away, and it returns with an old copy; whoever searches meanwhile is given what is there, whole,
 * or is told to come again.
 */
@Tag("cluster")
@Tag("cluster-full")
class KnowledgeMoveIT {
  private static final int NODES = 3;
  private static final int TENANTS = 4;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Duration BETWEEN_SEARCHES = Duration.ofMillis(100);

  /** What a document of a round is about; no two have a word in common. */
  private static final List<String> WORDS =
      List.of(
          "harbour", "lantern", "granite", "orchard", "thimble", "compass", "walnut", "saffron");

  @TempDir private Path directory;
  private final Map<String, Map<String, String>> completed = new ConcurrentHashMap<>();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final AtomicInteger found = new AtomicInteger();
  private final AtomicInteger toldToComeAgain = new AtomicInteger();
  private volatile boolean stopped;

  @Test
  @Timeout(900)
  void aSearchIsWholeOrRefusedWhereverTheTenantIs() throws InterruptedException {
    try (RowhouseCluster cluster =
        RowhouseCluster.prepared(directory, RowhouseCluster.network(NODES), NODES).start()) {
      Map<String, String> keys = new ConcurrentHashMap<>();
      for (int i = 0; i < TENANTS; i++) {
        String tenant = "reader-" + (char) ('a' + i);
        keys.put(tenant, cluster.operator().onboard(tenant));
      }
      int round = 0;
      add(cluster, keys, 0, WORDS.get(round++));
      List<Thread> searching = new ArrayList<>();
      keys.forEach(
          (tenant, key) ->
              searching.add(Thread.ofVirtual().start(() -> searchOn(cluster, tenant, key))));
      for (int node = 0; node < NODES; node++) {
        if (node == 1) {
          cluster.node(node).kill9();
        } else {
          assertEquals(0, cluster.node(node).stop(), cluster.node(node).log());
        }
        add(cluster, keys, (node + 1) % NODES, WORDS.get(round++));
        cluster.node(node).start().awaitReady();
        cluster.awaitWhole();
        add(cluster, keys, node, WORDS.get(round++));
      }
      stopped = true;
      for (Thread thread : searching) {
        thread.join();
      }
      assertTrue(faults.isEmpty(), () -> String.join("\n", faults));
      assertTrue(found.get() > 0, "nothing was ever found");
      // In the end every node answers with everything.
      for (int node = 0; node < NODES; node++) {
        int at = node;
        Await.until(
            "node " + at + " finds everything",
            PATIENCE,
            () ->
                keys.entrySet().stream()
                    .allMatch(
                        key ->
                            WORDS.stream()
                                .limit(documents(key.getKey()).size())
                                .allMatch(
                                    word ->
                                        search(cluster, at, key.getKey(), key.getValue(), word))));
      }
      assertTrue(faults.isEmpty(), () -> String.join("\n", faults));
    }
  }

  /** A document for each tenant, which is searched for from the moment on that it is complete. */
  private void add(RowhouseCluster cluster, Map<String, String> keys, int gateway, String word) {
    keys.forEach(
        (tenant, key) -> {
          TenantClient client = cluster.node(gateway).tenant(key);
          Await.until(
              "the document about the " + word + " is taken",
              PATIENCE,
              () -> {
                try {
                  String file =
                      client.upload(
                          word + ".md",
                          "# The %1$s\n\nThe %1$s of %2$s is kept in a box.\n"
                              .formatted(word, tenant));
                  client.attach("default", file);
                  documents(tenant).put(word, file);
                  return true;
                } catch (AssertionError | UncheckedIOException moving) {
                  return false;
                }
              });
        });
  }

  /** A tenant's complete documents: the id of the file by what it is about. */
  private Map<String, String> documents(String tenant) {
    return completed.computeIfAbsent(tenant, _ -> new ConcurrentHashMap<>());
  }

  private void searchOn(RowhouseCluster cluster, String tenant, String key) {
    for (int turn = 0; !stopped; turn++) {
      List<String> words = List.copyOf(documents(tenant).keySet());
      search(cluster, turn % NODES, tenant, key, words.get(turn % words.size()));
      Await.pause(BETWEEN_SEARCHES);
    }
  }

  /** Whether it was found; an answer that is neither whole nor a refusal is a fault. */
  private boolean search(
      RowhouseCluster cluster, int gateway, String tenant, String key, String word) {
    String file = documents(tenant).get(word);
    Reply reply;
    try {
      reply =
          cluster
              .node(gateway)
              .tenant(key)
              .post(
                  "/v1/vector_stores/default/search",
                  "{\"query\": \"Where is the %s kept?\", \"max_num_results\": 20}"
                      .formatted(word));
    } catch (UncheckedIOException away) {
      return false;
    }
    if (reply.status() == 503) {
      toldToComeAgain.incrementAndGet();
      if (reply.headers().firstValue("retry-after").isEmpty()) {
        faults.add("503 without Retry-After: " + reply.body());
      }
      return false;
    }
    if (reply.status() != 200 || !reply.body().contains(String.valueOf(file))) {
      faults.add(
          "%s at node %d: %d without the document about the %s: %s"
              .formatted(tenant, gateway, reply.status(), word, reply.body()));
      return false;
    }
    found.incrementAndGet();
    return true;
  }
}
