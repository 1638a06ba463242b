package dev.rowhouse.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.ToLongFunction;

/**
 * What was seen, in {@code target/reports}: {@code cluster.json} has a line for each nemesis and
 * number of nodes, the latest trial of it.
 */
final class Report {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Report() {}

  static synchronized void add(Trial.Result result, String journal, int nodes) {
    Path file = file("cluster.json");
    try {
      ObjectNode root =
          Files.exists(file)
              ? (ObjectNode) JSON.readTree(Files.readString(file))
              : JSON.createObjectNode();
      ArrayNode lines = root.withArray("nemeses");
      for (int i = lines.size() - 1; i >= 0; i--) {
        if (lines.get(i).path("nemesis").asText().equals(result.nemesis())
            && lines.get(i).path("nodes").asInt() == nodes) {
          lines.remove(i);
        }
      }
      ObjectNode line = lines.addObject();
      line.put("nemesis", result.nemesis())
          .put("acknowledged", result.verdict().acknowledged())
          .put("journaled", result.verdict().journaled())
          .put("lost", result.verdict().lost().size())
          .put("doubled", result.verdict().doubled().size())
          .put("stale_tickets_run", result.staleTicketsRun())
          .put("success", Math.round(result.success() * 100_000) / 100_000.0)
          .put("recovery_s", result.recoverySeconds())
          .put("rejoin_s", result.rejoinSeconds())
          .put("failed_requests", result.failures())
          .put("nodes_ended", result.ends().size())
          .put("journal", journal)
          .put("nodes", nodes);
      result.failed().forEach(line.putArray("failed")::add);
      if (!result.memory().isEmpty()) {
        line.put("rss_before_mb", most(result, Memory.Usage::rssBefore))
            .put("rss_max_mb", most(result, Memory.Usage::rssMax))
            .put("heap_kept_before_mb", most(result, Memory.Usage::keptBefore))
            .put("heap_kept_max_mb", most(result, Memory.Usage::keptMax))
            .put("heap_kept_more_mb", most(result, Memory.Usage::keptMore));
      }
      write(file, root);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a report of its own. */
  static void write(String name, ObjectNode report) {
    try {
      write(file(name), report);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  /** Of the node that has the most of it. */
  private static long most(Trial.Result result, ToLongFunction<Memory.Usage> of) {
    return result.memory().stream().mapToLong(of).max().orElse(0);
  }

  private static Path file(String name) {
    return Path.of(System.getProperty("rowhouse.target", "target"), "reports", name);
  }

  private static void write(Path file, ObjectNode report) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report));
  }
}
