package dev.rowhouse.cluster;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Five nodes under load: the oldest dies, two are cut off from three, and each sees two others. */
@Tag("cluster")
@Tag("cluster-full")
class FiveNodesIT {
  private static final int NODES = 5;

  @TempDir private static Path directory;
  private static RowhouseCluster cluster;
  private static Supervisor supervisor;

  @BeforeAll
  static void form() {
    cluster = RowhouseCluster.prepared(directory, RowhouseCluster.network(NODES), NODES).start();
    supervisor = Supervisor.started(cluster);
  }

  @AfterAll
  static void end() {
    if (supervisor != null) {
      supervisor.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"KILL_OLDEST", "PARTITION_HALVES", "PARTITION_RING"})
  @Timeout(900)
  void trial(Nemesis nemesis) {
    Trial.judged(cluster, supervisor, nemesis);
  }
}
