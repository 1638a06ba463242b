package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.Reply;
import dev.rowhouse.node.TenantClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
  private static final int ROUNDS = 20;
  private static final long CANCELLED_WITHIN_MILLIS = 1_000;

  /** The answer to the next request included. */
  private static final long FREE_WITHIN_MILLIS = 2_000;

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
    cluster.operator().addModel("single", cluster.upstream().baseUrl(), 1);
    String key = cluster.operator().onboard("leaver");
    TenantClient client = cluster.node(GATEWAY).tenant(key);
    client.chat("single", "Are you warm?").expect(200);
    List<Long> cancelledMillis = new ArrayList<>();
    List<Long> freeMillis = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      cluster.upstream().on("single", Behaviour.of(10_000, 50));
      int cancelled = cluster.upstream().cancelled();
      long gone;
      try (Socket stream = stream(cluster.node(GATEWAY).httpUri(), key)) {
        Await.until("it runs", PATIENCE, () -> cluster.upstream().running() == 1);
        assertTrue(stream.getInputStream().read() >= 0, "nothing was answered");
        gone = System.nanoTime();
      }
      Await.until(
          "the upstream call is cancelled",
          PATIENCE,
          () -> cluster.upstream().cancelled() > cancelled);
      cancelledMillis.add(millisSince(gone));
      cluster.upstream().on("single", Behaviour.of(2, 0));
      client.chat("single", "Is the slot free?").expect(200);
      freeMillis.add(millisSince(gone));
    }
    ObjectNode report = Report.object();
    cancelledMillis.forEach(report.putArray("upstream_cancelled_ms")::add);
    freeMillis.forEach(report.putArray("slot_served_another_ms")::add);
    Report.write("client-gone.json", report);
    if (Trial.areFiguresChecked()) {
      assertTrue(most(cancelledMillis) <= CANCELLED_WITHIN_MILLIS, report::toString);
      assertTrue(most(freeMillis) <= FREE_WITHIN_MILLIS, report::toString);
    }
  }

  /** A stream on a bare socket: no client's machinery stands between its end and the gateway. */
  private static Socket stream(URI gateway, String key) throws IOException {
    String body = TenantClient.chatBody("single", "Count to ten thousand.", true);
    Socket socket = new Socket(gateway.getHost(), gateway.getPort());
    socket
        .getOutputStream()
        .write(
            """
            POST /v1/chat/completions HTTP/1.1\r
            Host: gateway\r
            Authorization: Bearer %s\r
            Content-Type: application/json\r
            Content-Length: %d\r
            \r
            %s\
            """
                .formatted(key, body.length(), body)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** Without the first, in which both nodes do all of it for the first time. */
  private static long most(List<Long> rounds) {
    return rounds.stream().skip(1).mapToLong(Long::longValue).max().orElseThrow();
  }

  private static long millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1_000_000;
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
