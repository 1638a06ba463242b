package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.TenantClient;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Streams that cross nodes: workers and tenants are on one, and two others are gateways, so that
 * the death of one leaves a majority.
 */
@Tag("cluster")
@Tag("cluster-full")
@TestMethodOrder(OrderAnnotation.class)
class StreamsIT {
  private static final int HOUSE = 0;
  private static final int GATEWAY = 1;
  private static final int OTHER_GATEWAY = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /**
   * More than all buffers between a worker and a client hold, those of the system too: some 20 MB.
   */
  private static final int MANY = 90_000;

  private static final int FEW = 20;

  @RegisterExtension
  static final ClusterUnderTrial formed =
      ClusterUnderTrial.onLoopback(3)
          .prepared(
              cluster -> {
                cluster.node(HOUSE).with("ROWHOUSE_ROLES", "tenant,worker");
                cluster.node(GATEWAY).with("ROWHOUSE_ROLES", "gateway");
                cluster.node(OTHER_GATEWAY).with("ROWHOUSE_ROLES", "gateway");
              });

  @Test
  @Order(1)
  @Timeout(300)
  void aSlowClientSlowsItsOwnStreamOnly(RowhouseCluster cluster) throws Exception {
    cluster.operator().addModel("broad", cluster.upstream().baseUrl(), 4);
    String key = cluster.operator().onboard("readers");
    TenantClient client = cluster.node(GATEWAY).tenant(key);
    cluster.upstream().on("broad", Behaviour.of(MANY, 0));
    HttpResponse<InputStream> slow =
        client.openStream(TenantClient.chatBody("broad", "Tell me everything.", true));
    Await.until("it runs", PATIENCE, () -> cluster.upstream().running() == 1);
    cluster.upstream().on("broad", Behaviour.of(FEW, 0));
    for (int i = 0; i < 10; i++) {
      assertTrue(client.stream(TenantClient.chatBody("broad", "In short.", true)).done());
    }
    assertEquals(
        1, cluster.upstream().running(), "its upstream waits for a client that does not read");
    String all = new String(slow.body().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(all.endsWith("data: [DONE]\n\n"), () -> "not whole: " + end(all));
    assertTrue(all.lines().filter(line -> line.startsWith("data: {")).count() >= MANY);
  }

  @Test
  @Order(2)
  @Timeout(300)
  void theDeathOfAGatewayFreesItsSlots(RowhouseCluster cluster) throws Exception {
    cluster.operator().addModel("lone", cluster.upstream().baseUrl(), 1);
    String key = cluster.operator().onboard("mourner");
    cluster.upstream().on("lone", Behaviour.of(MANY, 50));
    int cancelled = cluster.upstream().cancelled();
    HttpResponse<InputStream> lost =
        cluster
            .node(GATEWAY)
            .tenant(key)
            .openStream(TenantClient.chatBody("lone", "Count to ten thousand.", true));
    Await.until("it runs", PATIENCE, () -> cluster.upstream().running() == 1);
    cluster.node(GATEWAY).kill9();
    Await.until(
        "the upstream call is cancelled",
        PATIENCE,
        () -> cluster.upstream().cancelled() > cancelled);
    lost.body().close();
    cluster.upstream().on("lone", Behaviour.of(2, 0));
    cluster.node(OTHER_GATEWAY).tenant(key).chat("lone", "Is the slot free?").expect(200);
  }

  private static String end(String all) {
    return all.substring(Math.max(0, all.length() - 600));
  }
}
