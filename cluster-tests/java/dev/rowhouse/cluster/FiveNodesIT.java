package dev.rowhouse.cluster;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Five nodes under load: the oldest dies, two are cut off from three, and each sees two others. */
@Tag("cluster")
@Tag("cluster-full")
class FiveNodesIT {
  @RegisterExtension static final ClusterUnderTrial formed = ClusterUnderTrial.of(5);

  @ParameterizedTest
  @EnumSource(names = {"KILL_OLDEST", "PARTITION_HALVES", "PARTITION_RING"})
  @Timeout(900)
  void trial(Nemesis nemesis) {
    formed.judge(nemesis);
  }
}
