package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.Reply;
import dev.rowhouse.node.TenantClient;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a client is told by a node that is cut off from the others, and how soon. */
@Tag("cluster")
@Tag("cluster-full")
class MinorityIT {
  private static final int NODES = 3;
  private static final String MODEL = "steady";

  /** What is promised, on a machine that does nothing else. */
  private static final long REFUSES_WITHIN_MILLIS = 5_000;

  private static final Duration BETWEEN = Duration.ofMillis(250);
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int CLUSTER = 7;

  @TempDir private Path directory;

  @Test
  @Timeout(600)
  void itSaysThatItHasNoMajorityAndLeaves() {
    Network network = RowhouseCluster.network(NODES);
    try (RowhouseCluster cluster = RowhouseCluster.prepared(directory, network, NODES)) {
      assumeTrue(network.canCut(), () -> "no wire can be cut: " + Namespaces.obstacle());
      cluster.start();
      cluster.upstream().on(MODEL, Behaviour.of(2, 0));
      cluster.operator().addModel(MODEL, cluster.upstream().baseUrl(), 4);
      String key = cluster.operator().onboard("islander");
      int alone = cluster.oldest();
      TenantClient client = cluster.node(alone).tenant(key);
      client.chat(MODEL, "Is anybody there?").expect(200);
      long cut = System.nanoTime();
      for (int other = 0; other < NODES; other++) {
        if (other != alone) {
          network.cut(alone, other);
          network.cut(other, alone);
        }
      }
      long millis = untilItRefuses(client, cut);
      if (Trial.areFiguresChecked()) {
        assertTrue(millis <= REFUSES_WITHIN_MILLIS, "refused after " + millis + " ms");
      }
      Reply refused = client.chat(MODEL, "And now?").expect(503);
      assertEquals("no_majority", refused.errorCode());
      assertTrue(Integer.parseInt(refused.header("retry-after")) >= 1);
      // It puts itself out, and the others go on.
      assertEquals(CLUSTER, cluster.node(alone).awaitExit(PATIENCE), cluster.node(alone).log());
      TenantClient elsewhere = cluster.node((alone + 1) % NODES).tenant(key);
      Await.until(
          "the others serve the tenant",
          PATIENCE,
          () -> elsewhere.chat(MODEL, "Is anybody there?").status() == 200);
    }
  }

  /** A request each quarter of a second; one that waits for an answer holds no other up. */
  private static long untilItRefuses(TenantClient client, long cutNanos) {
    AtomicLong after = new AtomicLong(Long.MAX_VALUE);
    Await.until(
        "the node says that it has no majority",
        PATIENCE,
        () -> {
          Thread.ofVirtual().start(() -> ask(client, cutNanos, after));
          Await.pause(BETWEEN);
          return after.get() != Long.MAX_VALUE;
        });
    return after.get();
  }

  private static void ask(TenantClient client, long cutNanos, AtomicLong after) {
    try {
      Reply reply = client.chat(MODEL, "Is anybody there?");
      if (reply.status() == 503 && reply.errorCode().equals("no_majority")) {
        long millis = Duration.ofNanos(System.nanoTime() - cutNanos).toMillis();
        after.accumulateAndGet(millis, Math::min);
      }
    } catch (UncheckedIOException ended) {
      // The node has ended with it; an earlier one was answered.
    }
  }
}
