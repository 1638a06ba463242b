package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.NodeProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nodes with conf/kubernetes.conf and no seed nodes. In the place of Kubernetes a list in conf says
 * where the pods are; all else is as there.
 */
@Tag("cluster")
@Tag("cluster-full")
class BootstrapIT {
  private static final String HOST = "127.0.0.1";
  private static final int NODES = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final List<Integer> management = NodeProcess.freePorts(NODES);
  @TempDir private Path directory = Path.of("");
  private JournalServer journal = new H2Server(directory, HOST);

  @BeforeEach
  void open() {
    journal = JournalServer.started(directory.resolve("journal"), HOST);
  }

  @AfterEach
  void close() {
    journal.close();
  }

  private NodeProcess node(int number, String more) {
    StringBuilder pods =
        new StringBuilder(
            "-Dpekko.management.cluster.bootstrap.contact-point-discovery.discovery-method=config");
    for (int pod = 0; pod < NODES; pod++) {
      String endpoint = " -Dpekko.discovery.config.services.rowhouse.endpoints." + pod;
      pods.append(endpoint + ".host=" + HOST + endpoint + ".port=" + management.get(pod));
    }
    NodeProcess node = NodeProcess.in(directory.resolve("node-" + number));
    journal.environment().forEach(node::with);
    return node.with("ROWHOUSE_PROFILES", journal.profilesAnd("kubernetes"))
        .with("ROWHOUSE_MANAGEMENT_HOST", HOST)
        .with("ROWHOUSE_MANAGEMENT_PORT", management.get(number).toString())
        .with("ROWHOUSE_OPERATOR_TOKEN", "operator-token-of-the-bootstrap-test-0123456789")
        .with("ROWHOUSE_CLUSTER_SECRET", "cluster-secret-of-the-cluster-tests-0123456789")
        .with("ROWHOUSE_MASTER_KEY", "master-key-of-the-cluster-tests-0123456789abcdef")
        .with("ROWHOUSE_JVM_OPTS", "-Xmx512m " + journal.jvmOptions() + " " + pods + more);
  }

  @Test
  @Timeout(600)
  void nodesThatADirectoryNamesAreOneCluster() {
    try (NodeProcess first = node(0, "");
        NodeProcess second = node(1, "");
        NodeProcess third = node(2, "")) {
      List<NodeProcess> all = List.of(first, second, third);
      all.forEach(NodeProcess::start);
      all.forEach(NodeProcess::awaitReady);
      for (NodeProcess node : all) {
        Await.until("all are members", PATIENCE, () -> RowhouseCluster.membersUp(node) == NODES);
      }
      String key = first.operator().onboard("acme");
      third.tenant(key).get("/v1/models").expect(200);

      second.kill9();
      second.start().awaitReady();
      Await.until(
          "it is the same cluster again",
          PATIENCE,
          () -> RowhouseCluster.membersUp(first) == NODES);
      second.tenant(key).get("/v1/models").expect(200);
    }
  }

  @Test
  @Timeout(300)
  void aNodeThatReachesNoneOfTheOthersBeginsNoCluster() {
    try (NodeProcess alone = node(0, " -Drowhouse.cluster.up-timeout=15s")) {
      alone.start();
      assertEquals(7, alone.awaitExit(PATIENCE), alone.log());
      assertTrue(
          alone.standardError().contains("service rowhouse of config"), alone.standardError());
    }
  }
}
