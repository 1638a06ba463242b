package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that speak TLS let in who has the same authority, and nobody else. */
@Tag("cluster")
@Tag("cluster-full")
class TlsIT {
  private static final Duration REFUSAL_MAX = Duration.ofMinutes(6);
  private static final int CLUSTER = 7;
  private static final int CONFIG = 3;

  @TempDir private Path directory;

  @Test
  @Timeout(1_500)
  void onlyACertificateOfTheSameAuthorityGetsIn() throws Exception {
    assumeTrue(isThere("openssl"), "openssl is not here");
    Path house = directory.resolve("house");
    Path stranger = directory.resolve("stranger");
    certificates(house, Map.of(), "node-0", "node-1");
    certificates(house, Map.of("ROWHOUSE_TEST_DAYS", "-1"), "expired");
    certificates(stranger, Map.of(), "node-1");
    try (RowhouseCluster cluster =
        RowhouseCluster.prepared(directory.resolve("cluster"), new Loopback(2), 2)) {
      NodeProcess first = with(cluster, 0, house.resolve("node-0"));
      NodeProcess second = cluster.node(1);
      first.start().awaitReady();

      with(cluster, 1, house.resolve("expired")).start();
      assertEquals(CONFIG, second.awaitExit(REFUSAL_MAX), second.log());
      assertTrue(second.standardError().contains("has expired on"), second.standardError());
      assertEquals(1, second.standardError().lines().count(), second.standardError());

      with(cluster, 1, stranger.resolve("node-1")).start();
      assertEquals(CLUSTER, second.awaitExit(REFUSAL_MAX), second.log());
      // Until it gives up it warns of each try, with what TLS says.
      assertTrue(second.standardError().contains("SSLHandshakeException"), second.standardError());
      String last = second.standardError().lines().toList().getLast();
      assertTrue(last.startsWith("rowhouse: ") && last.contains("same certificates"), last);
      assertEquals(1, RowhouseCluster.membersUp(first), "no half-joined node");

      with(cluster, 1, house.resolve("node-1")).start().awaitReady();
      cluster.awaitWhole();
      assertEquals(2, RowhouseCluster.membersUp(first));
    }
  }

  private static NodeProcess with(RowhouseCluster cluster, int node, Path certificates) {
    return cluster
        .node(node)
        .with("ROWHOUSE_PROFILES", cluster.journal().profilesAnd("tls"))
        .with("ROWHOUSE_TLS_DIR", certificates.toString());
  }

  private static boolean isThere(String program) {
    for (String path : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      if (Files.isExecutable(Path.of(path, program))) {
        return true;
      }
    }
    return false;
  }

  private static void certificates(Path authority, Map<String, String> environment, String... nodes)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(NodeProcess.distribution().resolve("bin/rowhouse-test-certificates").toString());
    command.add(authority.toString());
    command.addAll(List.of(nodes));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(environment);
    assertEquals(0, builder.start().waitFor(), String.join(" ", command));
  }
}
