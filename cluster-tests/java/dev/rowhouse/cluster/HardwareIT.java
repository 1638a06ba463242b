package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes under load, one on a disk that gets full and one with a clock that jumps. */
@Tag("cluster")
@Tag("cluster-full")
class HardwareIT {
  private static final int NODES = 3;

  @TempDir private static Path directory;
  private static RowhouseCluster cluster;
  private static Supervisor supervisor;

  @BeforeAll
  static void form() {
    cluster =
        RowhouseCluster.prepared(directory, RowhouseCluster.network(NODES), NODES)
            .onBrittleHardware(directory.resolve("hardware"))
            .start();
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

  @Test
  @Timeout(900)
  void diskFull() {
    assumeTrue(cluster.hardware().hasDisk(), "a disk of a node's own (tmpfs) needs root");
    Trial.judged(cluster, supervisor, Nemesis.DISK_FULL);
  }

  @Test
  @Timeout(900)
  void clockJump() {
    assumeTrue(cluster.hardware().hasClock(), "libfaketime is not here (package faketime)");
    Trial.judged(cluster, supervisor, Nemesis.CLOCK_JUMP);
  }
}
