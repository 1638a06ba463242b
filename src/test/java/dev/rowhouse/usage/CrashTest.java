package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed in the middle of its writes loses nothing that it acknowledged. More
 * kills: {@code -Drowhouse.crash-rounds=20}.
 */
final class CrashTest {
  private static final int ROUNDS = Integer.getInteger("rowhouse.crash-rounds", 3);
  private static final int ACKNOWLEDGED_BEFORE_THE_KILL = 150;

  @TempDir private Path directory = Path.of("");

  @Test
  void findsEachAcknowledgedAttemptOnceAfterKills() throws Exception {
    Set<String> acknowledged = new HashSet<>();
    for (int round = 0; round < ROUNDS; round++) {
      acknowledged.addAll(writeAndKill());
    }
    assertTrue(acknowledged.size() >= ROUNDS * ACKNOWLEDGED_BEFORE_THE_KILL);
    try (House house = House.open(directory)) {
      House.Opening opening = house.ledger();
      Totals totals = opening.opened().totals();
      Map<String, Integer> found = new HashMap<>();
      house
          .records(opening.ledger())
          .forEach(record -> found.merge(record.attempt(), 1, Integer::sum));
      assertEquals(Set.of(), missing(acknowledged, found.keySet()));
      assertEquals(Set.of(1), new HashSet<>(found.values()));
      assertEquals(found.size(), totals.requests());
      assertEquals(ROUNDS, house.fence.numbers("usage|acme").size());
      System.out.printf(
          "%d kills: %d acknowledged, 0 of them lost, 0 doubled%n", ROUNDS, acknowledged.size());
    }
  }

  private static Set<String> missing(Set<String> acknowledged, Set<String> found) {
    Set<String> missing = new HashSet<>(acknowledged);
    missing.removeAll(found);
    return missing;
  }

  private Set<String> writeAndKill() throws IOException, InterruptedException {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx256m",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                CrashWriter.class.getName(),
                directory.toString())
            .redirectError(new File(directory.toFile(), "errors.txt"))
            .start();
    Set<String> acknowledged = new HashSet<>();
    try (BufferedReader lines = writer.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(CrashWriter.ACKNOWLEDGED)) {
          acknowledged.add(line.substring(CrashWriter.ACKNOWLEDGED.length()));
        }
        if (acknowledged.size() >= ACKNOWLEDGED_BEFORE_THE_KILL && writer.isAlive()) {
          // The handle: the process itself would close the pipe and lose its last lines.
          writer.toHandle().destroyForcibly();
        }
      }
    }
    writer.waitFor();
    return acknowledged;
  }
}
