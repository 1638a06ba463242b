package dev.rowhouse.cluster;

import java.util.List;

/** The network that a cluster's nodes are in. */
interface Network extends AutoCloseable {
  /** The address at which everybody reaches that node. */
  String hostOf(int node);

  /** The address at which the nodes reach the journal and the upstream, which are never cut off. */
  String hostOfServices();

  /** What is put before a node's command, so that it runs in its place. */
  List<String> prefix(int node);

  /** Ports of the tenant plane, the operator plane and Artery. */
  List<Integer> ports(int node);

  /** Whether {@link #cut} does anything here. */
  boolean canCut();

  /** From now on nothing that the one sends reaches the other; the other way is as it was. */
  void cut(int from, int to);

  /** Everybody reaches everybody again. */
  void heal();

  @Override
  void close();
}
