package dev.rowhouse.cluster;

import dev.rowhouse.node.NodeProcess;

/** What a node counts, as it tells Prometheus. */
record MetricsPage(String text) {
  /** The page as it is now; an unchecked I/O error when the node does not answer. */
  static MetricsPage of(NodeProcess node) {
    return new MetricsPage(node.operator().get("/metrics").expect(200).body());
  }

  /**
   * The sum of a metric's values.
   *
   * @param labelled only those that have this label, as {@code area="heap"}; empty: all
   */
  double sum(String name, String labelled) {
    return text.lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .filter(line -> line.contains(labelled))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}
