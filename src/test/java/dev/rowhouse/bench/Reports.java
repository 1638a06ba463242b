package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** Where the figures go: {@code target/reports/NAME.json}, with what they were measured on. */
final class Reports {
  private Reports() {}

  static void write(String name, ObjectNode figures) throws IOException {
    ObjectNode machine = figures.putObject("machine");
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.vm.version"));
    figures.put("measured_at", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    Path file = directory().resolve(name + ".json");
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), figures);
    System.out.println("written to " + file);
  }

  static Path directory() throws IOException {
    return Files.createDirectories(
        Path.of(System.getProperty("rowhouse.target", "target"), "reports"));
  }

  /** A new directory below {@code target/} for data and logs of what is measured. */
  static Path scratch() throws IOException {
    Path target = Path.of(System.getProperty("rowhouse.target", "target")).toAbsolutePath();
    return Files.createTempDirectory(Files.createDirectories(target), "bench-");
  }

  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  static int argument(String[] args, int index, int otherwise) {
    return args.length > index ? Integer.parseInt(args[index]) : otherwise;
  }
}
