package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
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

  /** Names of nemeses, with commas between them; the others are skipped. */
  private static final String ONLY = "rowhouse.cluster.only";

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
    trial(nemesis);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"KILL", "PAUSE_3"})
  @Tag("cluster-full")
  @Timeout(900)
  void fullSet(Nemesis nemesis) {
    trial(nemesis);
  }

  private static void trial(Nemesis nemesis) {
    String only = System.getProperty(ONLY, "");
    assumeTrue(
        only.isEmpty() || List.of(only.split(",", -1)).contains(nemesis.text()),
        () -> "-D" + ONLY + " leaves it out");
    assumeTrue(
        !nemesis.cuts() || cluster.network().canCut(),
        () -> "no wire can be cut: " + Namespaces.obstacle());
    Trial.Result result = new Trial(cluster, supervisor).run(nemesis);
    Report.add(result, cluster.journal().name(), NODES);
    String all = result.toString();
    assertTrue(result.verdict().isGood(), all);
    assertEquals(0, result.staleTicketsRun(), all);
    if (!Boolean.getBoolean("rowhouse.cluster.figures")) {
      return;
    }
    Expectation expected = Expectation.of(nemesis);
    assertTrue(result.success() >= expected.successMin(), all);
    assertTrue(result.recoverySeconds() <= expected.recoverySecondsMax(), all);
    if (expected.nobodyDowned()) {
      assertEquals(0, result.ends().size(), all);
    }
    if (expected.noFailures()) {
      assertEquals(0, result.failures(), all);
    }
  }
}
