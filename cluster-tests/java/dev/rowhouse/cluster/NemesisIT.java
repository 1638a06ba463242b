package dev.rowhouse.cluster;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Three nodes under load, and what may befall them. What must never be is checked on every machine;
 * the figures, which a busy one cannot hold, with {@code -Drowhouse.cluster.figures=true}, as the
 * profile {@code cluster-tests} sets it.
 */
@Tag("cluster")
class NemesisIT {
  @RegisterExtension static final ClusterUnderTrial formed = ClusterUnderTrial.of(3);

  @ParameterizedTest
  @EnumSource(names = {"KILL", "PAUSE_3"})
  @Timeout(900)
  void shortSet(Nemesis nemesis) {
    formed.judge(nemesis);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"KILL", "PAUSE_3", "DISK_FULL", "CLOCK_JUMP"})
  @Tag("cluster-full")
  @Timeout(900)
  void fullSet(Nemesis nemesis) {
    formed.judge(nemesis);
  }
}
