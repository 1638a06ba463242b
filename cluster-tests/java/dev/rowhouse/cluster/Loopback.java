package dev.rowhouse.cluster;

import dev.rowhouse.node.NodeProcess;
import java.util.ArrayList;
import java.util.List;

/** All nodes on the loopback address, each with ports of its own. No wire is there to be cut. */
final class Loopback implements Network {
  private static final int PORTS_OF_A_NODE = 3;

  private final List<List<Integer>> ports = new ArrayList<>();

  Loopback(int nodes) {
    List<Integer> all = NodeProcess.freePorts(nodes * PORTS_OF_A_NODE);
    for (int node = 0; node < nodes; node++) {
      ports.add(List.copyOf(all.subList(node * PORTS_OF_A_NODE, (node + 1) * PORTS_OF_A_NODE)));
    }
  }

  @Override
  public String hostOf(int node) {
    return "127.0.0.1";
  }

  @Override
  public String hostOfServices() {
    return "127.0.0.1";
  }

  @Override
  public List<String> prefix(int node) {
    return List.of();
  }

  @Override
  public List<Integer> ports(int node) {
    return ports.get(node);
  }

  @Override
  public boolean canCut() {
    return false;
  }

  @Override
  public void cut(int from, int to) {
    throw new IllegalStateException("there is no wire between nodes on the loopback address");
  }

  @Override
  public void heal() {}

  @Override
  public void close() {}
}
