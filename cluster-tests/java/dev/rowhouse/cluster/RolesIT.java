package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.Reply;
import dev.rowhouse.node.TenantClient;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A gateway on one node; tenants and slots on another. Everything of a request crosses the wire.
 */
@Tag("cluster")
@Tag("cluster-full")
class RolesIT {
  private static final int HOUSE = 0;
  private static final int GATEWAY = 1;

  /** On an idle machine a cancelled call's slot is free in well under the 2 s that are promised. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final int PROMPT_BYTES = 4 << 20;

  @RegisterExtension
  static final ClusterUnderTrial formed =
      ClusterUnderTrial.onLoopback(2)
          .prepared(
              cluster -> {
                cluster.node(HOUSE).with("ROWHOUSE_ROLES", "tenant,worker");
                cluster.node(GATEWAY).with("ROWHOUSE_ROLES", "gateway");
              });

  private static TenantClient client(
      RowhouseCluster cluster, String tenant, String model, int slots) {
    cluster.operator().addModel(model, cluster.upstream().baseUrl(), slots);
    return cluster.node(GATEWAY).tenant(cluster.operator().onboard(tenant));
  }

  @Test
  @Timeout(300)
  void aNodeThatIsNoGatewayOpensNoTenantPlane(RowhouseCluster cluster) {
    TenantClient there = cluster.node(HOUSE).tenant(null);
    assertThrows(UncheckedIOException.class, () -> there.get("/v1/models"));
    assertTrue(
        cluster.node(HOUSE).standardOutput().contains("tenant, worker"),
        cluster.node(HOUSE).standardOutput());
  }

  @Test
  @Timeout(300)
  void aClientThatLeavesFreesItsSlotOnTheOtherNode(RowhouseCluster cluster) throws Exception {
    TenantClient client = client(cluster, "leaver", "single", 1);
    client.chat("single", "Are you warm?").expect(200);
    cluster.upstream().on("single", Behaviour.of(10_000, 50));
    int cancelled = cluster.upstream().cancelled();
    HttpResponse<InputStream> stream =
        client.openStream(TenantClient.chatBody("single", "Count to ten thousand.", true));
    Await.until("it runs", PATIENCE, () -> cluster.upstream().running() == 1);
    stream.body().close();
    Await.until(
        "the upstream call is cancelled",
        PATIENCE,
        () -> cluster.upstream().cancelled() > cancelled);
    cluster.upstream().on("single", Behaviour.of(2, 0));
    client.chat("single", "Is the slot free?").expect(200);
  }

  @Test
  @Timeout(300)
  void aPromptOfFourMegabytesCrossesNodes(RowhouseCluster cluster) {
    cluster.upstream().on("wide", Behaviour.of(3, 0));
    TenantClient client = client(cluster, "writer", "wide", 2);
    // The canary stands at the very end, and comes back only when all of it has arrived.
    String prompt = "long ".repeat(PROMPT_BYTES / "long ".length()) + "canary-at-the-end";
    Reply answer = client.chat("wide", prompt).expect(200);
    assertTrue(answer.answer().startsWith("canary-at-the-end"), answer.answer());
    assertEquals(2, RowhouseCluster.membersUp(cluster.node(HOUSE)), "heartbeats went on");
  }
}
