package dev.rowhouse.cluster;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of a cluster's nodes, before something befalls them and while it does: how much of the
 * machine's they take (resident), and how much of their heap is in use after a collection, which is
 * what they keep.
 */
final class Memory implements AutoCloseable {
  /** What the nodes of these tests are given ({@link RowhouseCluster}). */
  private static final int HEAP_MAX_MB = 512;

  /** What the JVM and the system take outside the heap for a while: compilers, buffers, stacks. */
  private static final int OUTSIDE_MB = 96;

  /**
   * What a node may keep that it did not before: requests that were on their way when it began, and
   * those that clients ask again just now. The prompts of all that it refuses meanwhile ({@link
   * Nemesis#promptChars}) would be 70 MB.
   */
  private static final int KEPT_MORE_MB = 48;

  private static final Duration LOOK_EVERY = Duration.ofMillis(500);

  /** Looks until the next collection, 15 s: the last one is near the end of what befalls them. */
  private static final int COLLECT_EACH = 30;

  private static final int MB = 1 << 20;
  private static final int KB_OF_MB = 1 << 10;

  /**
   * One node's, in MB.
   *
   * @param outsideBefore resident and not the heap's
   * @param keptMax the most that was in use after a collection
   */
  record Usage(
      int node, long rssBefore, long rssMax, long outsideBefore, long keptBefore, long keptMax) {
    /** Whether it took no more than a full heap and what it had beside it, and kept no more. */
    boolean isBounded() {
      return rssMax <= HEAP_MAX_MB + outsideBefore + OUTSIDE_MB && keptMore() <= KEPT_MORE_MB;
    }

    long keptMore() {
      return keptMax - keptBefore;
    }

    private Usage with(long rss, long kept) {
      return new Usage(
          node,
          rssBefore,
          Math.max(rssMax, rss),
          outsideBefore,
          keptBefore,
          Math.max(keptMax, kept));
    }
  }

  private final RowhouseCluster cluster;
  private final List<Usage> usages = new ArrayList<>();
  private final Thread thread;
  private volatile boolean stopped;

  private Memory(RowhouseCluster cluster) {
    this.cluster = cluster;
    for (int node = 0; node < cluster.nodes().size(); node++) {
      NodeProcess process = cluster.node(node);
      long rss = resident(process);
      MetricsPage page = collected(process);
      long kept = heap(page, "jvm_memory_used_bytes");
      long outside = rss - heap(page, "jvm_memory_committed_bytes");
      usages.add(new Usage(node, rss, rss, outside, kept, kept));
    }
    this.thread = Thread.ofPlatform().daemon().name("memory").unstarted(this::look);
  }

  /** Looks at it now, and from now on. */
  static Memory watched(RowhouseCluster cluster) {
    Memory memory = new Memory(cluster);
    memory.thread.start();
    return memory;
  }

  /** What was seen, once this is closed. */
  List<Usage> usages() {
    return List.copyOf(usages);
  }

  private void look() {
    for (int looks = 1; !stopped; looks++) {
      Await.pause(LOOK_EVERY);
      for (int i = 0; i < usages.size(); i++) {
        NodeProcess process = cluster.node(usages.get(i).node());
        try {
          long kept =
              looks % COLLECT_EACH == 0 ? heap(collected(process), "jvm_memory_used_bytes") : 0;
          usages.set(i, usages.get(i).with(resident(process), kept));
        } catch (UncheckedIOException | AssertionError ended) {
          // A node that is not there takes nothing, and one that is pressed may not say.
        }
      }
    }
  }

  private static long heap(MetricsPage page, String name) {
    return (long) page.sum(name, "area=\"heap\"") / MB;
  }

  /** The node's figures after a full collection. */
  private static MetricsPage collected(NodeProcess node) {
    try {
      Process collection =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(node.pid()),
                  "GC.run")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (collection.waitFor() != 0 && node.isAlive()) {
        throw new IllegalStateException("jcmd GC.run failed on a node that runs");
      }
      return MetricsPage.of(node);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static long resident(NodeProcess node) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(node.pid()), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / KB_OF_MB)
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
