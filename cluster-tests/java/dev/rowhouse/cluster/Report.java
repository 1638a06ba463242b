package dev.rowhouse.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * {@code target/reports/cluster.json}: a line for each nemesis and number of nodes, the latest
 * trial of it.
 */
final class Report {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Report() {}

  static synchronized void add(Trial.Result result, String journal, int nodes) {
    Path file =
        Path.of(System.getProperty("rowhouse.target", "target")).resolve("reports/cluster.json");
    try {
      Files.createDirectories(file.getParent());
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
      lines
          .addObject()
          .put("nemesis", result.nemesis())
          .put("acknowledged", result.verdict().acknowledged())
          .put("journaled", result.verdict().journaled())
          .put("lost", result.verdict().lost().size())
          .put("doubled", result.verdict().doubled().size())
          .put("stale_tickets_run", result.staleTicketsRun())
          .put("success", Math.round(result.success() * 100_000) / 100_000.0)
          .put("recovery_s", result.recoverySeconds())
          .put("rejoin_s", result.rejoinSeconds())
          .put("failed_requests", result.failures())
          .put("journal", journal)
          .put("nodes", nodes);
      Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
