package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The time from the start of the process until {@code /ready} says yes: of a new node with an empty
 * data directory, and of the same node started again.
 *
 * <p>Argument: how many nodes (5).
 */
public final class StartUp {
  private StartUp() {}

  public static void main(String[] args) throws IOException {
    int nodes = Reports.argument(args, 0, 5);
    Path directory = Reports.scratch();
    List<Double> first = new ArrayList<>();
    List<Double> again = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      try (NodeProcess node = NodeProcess.in(directory.resolve("node-" + i))) {
        first.add(secondsToReady(node));
        node.operator().onboard("acme");
        node.stop();
        again.add(secondsToReady(node));
        node.stop();
      }
      System.out.printf("node %d: new %.2f s, again %.2f s%n", i, first.get(i), again.get(i));
    }
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("nodes", nodes);
    report.put("new_seconds_median", Reports.median(first));
    report.put("again_seconds_median", Reports.median(again));
    System.out.printf(
        "ready after %.2f s (new), %.2f s (again), medians of %d%n",
        Reports.median(first), Reports.median(again), nodes);
    Reports.write("start-up", report);
    System.exit(0);
  }

  private static double secondsToReady(NodeProcess node) {
    long begin = System.nanoTime();
    node.start().awaitReady();
    return (System.nanoTime() - begin) / 1e9;
  }
}
