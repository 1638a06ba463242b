package dev.rowhouse.cluster;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Three nodes under load, and what may befall them. What must never be is checked on every machine;
 * the figures, which a busy one cannot hold, with {@code -Drowhouse.cluster.figures=true}, as the
 * profile {@code cluster-tests} sets it.
 */
@Tag("cluster")
class NemesisIT {
  private static final int NODES = 3;

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
  @EnumSource(names = {"KILL", "PAUSE_3"})
  @Timeout(900)
  void shortSet(Nemesis nemesis) {
    Trial.judged(cluster, supervisor, nemesis);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"KILL", "PAUSE_3", "DISK_FULL", "CLOCK_JUMP"})
  @Tag("cluster-full")
  @Timeout(900)
  void fullSet(Nemesis nemesis) {
    Trial.judged(cluster, supervisor, nemesis);
  }
}
