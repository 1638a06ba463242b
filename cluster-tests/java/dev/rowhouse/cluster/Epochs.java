package dev.rowhouse.cluster;

import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.Operator;
import dev.rowhouse.node.Reply;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Asks every node for the coordinator's epoch, again and again. A node that has heard of an epoch
 * never hears of an older one afterwards: that would be two coordinators in effect at once.
 */
final class Epochs implements AutoCloseable {
  private static final long EVERY_MILLIS = 500;

  /** A coordinator answers so until it has claimed an epoch: it is there, but not in effect. */
  private static final long NOT_ACTING = 0;

  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  private Epochs() {}

  static Epochs watched(RowhouseCluster cluster) {
    Epochs epochs = new Epochs();
    for (NodeProcess node : cluster.nodes()) {
      epochs.threads.add(Thread.ofVirtual().start(() -> epochs.watch(node)));
    }
    return epochs;
  }

  private void watch(NodeProcess node) {
    Map<Long, Long> latest = new HashMap<>();
    while (!stopped) {
      try {
        Operator operator = node.operator();
        long pid = node.pid();
        Reply reply = operator.get("/admin/fairness?limit=1");
        if (reply.status() == 200) {
          long epoch = reply.json().path("epoch").asLong();
          long before = latest.merge(pid, epoch, Math::max);
          if (epoch != NOT_ACTING && epoch < before) {
            faults.add(
                "%s heard of epoch %d after %d".formatted(node.operatorUri(), epoch, before));
          }
        }
      } catch (UncheckedIOException | IllegalStateException away) {
        // A node that does not answer tells no epoch, and at the end nobody is asked any more.
      }
      try {
        Thread.sleep(EVERY_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Fails when an epoch went back. */
  void check() {
    if (!faults.isEmpty()) {
      throw new AssertionError("two coordinators: " + faults);
    }
  }

  @Override
  public void close() {
    stopped = true;
    threads.forEach(Thread::interrupt);
  }
}
