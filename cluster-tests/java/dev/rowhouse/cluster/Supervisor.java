package dev.rowhouse.cluster;

import dev.rowhouse.node.NodeProcess;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Starts a node again that has ended, as the operator of a cluster has something do. */
final class Supervisor implements AutoCloseable {
  private static final long LOOK_EVERY_MILLIS = 200;

  /**
   * An end of a node.
   *
   * @param exitCode 128 and the signal when a signal ended it
   */
  record End(int node, int exitCode) {}

  private final RowhouseCluster cluster;
  private final List<End> ends = new CopyOnWriteArrayList<>();
  private final Set<Integer> left = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile long broughtBackNanos;
  private volatile boolean stopped;

  private Supervisor(RowhouseCluster cluster) {
    this.cluster = cluster;
    this.thread = Thread.ofPlatform().daemon().name("supervisor").unstarted(this::look);
  }

  static Supervisor started(RowhouseCluster cluster) {
    Supervisor supervisor = new Supervisor(cluster);
    supervisor.thread.start();
    return supervisor;
  }

  /** Every end so far. */
  List<End> ends() {
    return List.copyOf(ends);
  }

  /** Leaves that node alone, until {@link #lookAfter}. */
  void leave(int node) {
    left.add(node);
  }

  void lookAfter(int node) {
    left.remove(node);
  }

  /** Starts a node that was left alone, and looks after it from now on. */
  void bringBack(int node) {
    broughtBackNanos = System.nanoTime();
    cluster.node(node).start();
    lookAfter(node);
  }

  /** When a node was last brought back, by {@link System#nanoTime}; 0 when none was. */
  long broughtBackNanos() {
    return broughtBackNanos;
  }

  private void look() {
    while (!stopped) {
      List<NodeProcess> nodes = cluster.nodes();
      for (int node = 0; node < nodes.size(); node++) {
        if (!left.contains(node) && !nodes.get(node).isAlive()) {
          ends.add(new End(node, nodes.get(node).awaitExit(Duration.ofSeconds(1))));
          nodes.get(node).start();
        }
      }
      try {
        Thread.sleep(LOOK_EVERY_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  @Override
  public void close() {
    stopped = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
