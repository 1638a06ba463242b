package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Three nodes under load, one on a disk that gets full and one with a clock that jumps. */
@Tag("cluster")
@Tag("cluster-full")
class HardwareIT {
  @RegisterExtension
  static final ClusterUnderTrial formed =
      ClusterUnderTrial.of(3).prepared(RowhouseCluster::onBrittleHardware);

  @Test
  @Timeout(900)
  void diskFull(RowhouseCluster cluster) {
    assumeTrue(cluster.hardware().hasDisk(), "a disk of a node's own (tmpfs) needs root");
    formed.judge(Nemesis.DISK_FULL);
  }

  @Test
  @Timeout(900)
  void clockJump(RowhouseCluster cluster) {
    assumeTrue(cluster.hardware().hasClock(), "libfaketime is not here (package faketime)");
    formed.judge(Nemesis.CLOCK_JUMP);
  }
}
