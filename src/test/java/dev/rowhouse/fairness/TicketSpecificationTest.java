package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tlc2.TLC;

/**
 * Checks the specification of ticket safety, {@code src/test/spec}, with the model checker of TLA+.
 * {@code -Drowhouse.spec.deep=true} checks larger models too; docs/proofs.md has their bounds.
 */
class TicketSpecificationTest {
  private static final Path SPECIFICATION = Path.of("src/test/spec").toAbsolutePath();
  private static final Path TARGET = Path.of("target/spec").toAbsolutePath();
  private static final Pattern DISTINCT = Pattern.compile("([0-9,]+) distinct states found, 0 ");

  /** A search that takes longer hangs; the largest takes seconds on an idle core. */
  private static final long MINUTES_MAX = 10;

  /** Deep models have millions of states. */
  private static final long DEEP_MINUTES_MAX = 600;

  private static String check(String module, String model, long minutesMax)
      throws IOException, InterruptedException {
    Path home = TARGET.resolve(model);
    Files.createDirectories(home);
    Path output = home.resolve("output.txt");
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path checker;
    try {
      checker = Path.of(TLC.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (java.net.URISyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
    Process search =
        new ProcessBuilder(
                List.of(
                    java.toString(),
                    "-XX:+UseParallelGC",
                    "-Xmx1g",
                    "-Djava.io.tmpdir=" + home,
                    "-cp",
                    checker.toString(),
                    "tlc2.TLC",
                    "-workers",
                    "auto",
                    "-lncheck",
                    "final",
                    "-metadir",
                    home.resolve("states").toString(),
                    "-config",
                    model + ".cfg",
                    module + ".tla"))
            .directory(SPECIFICATION.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(search.waitFor(minutesMax, TimeUnit.MINUTES), "the search does not end");
    } finally {
      search.destroyForcibly();
    }
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  private static void holds(String module, String model, long minutesMax)
      throws IOException, InterruptedException {
    String output = check(module, model, minutesMax);
    assertTrue(
        output.contains("Model checking completed. No error has been found."),
        () -> output.substring(0, Math.min(output.length(), 8_000)));
    Matcher states = DISTINCT.matcher(output);
    assertTrue(states.find(), output);
    System.out.println(module + ", " + model + ": " + states.group(1) + " states");
  }

  @ParameterizedTest(name = "{0}, {1}")
  @CsvSource({
    "TicketSafety, OneSlot",
    "TicketSafety, TwoSlots",
    "MCTicketProtocol, Faults",
    "MCTicketProtocol, Crash",
    "MCTicketProtocol, Zombie"
  })
  void everyStateKeepsThePromises(String module, String model)
      throws IOException, InterruptedException {
    holds(module, model, MINUTES_MAX);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @CsvSource({"TicketSafety, DeepSlots", "MCTicketProtocol, DeepProtocol"})
  void everyStateOfALargeModelKeepsThePromises(String module, String model)
      throws IOException, InterruptedException {
    assumeTrue(Boolean.getBoolean("rowhouse.spec.deep"), "takes long: -Drowhouse.spec.deep=true");
    holds(module, model, DEEP_MINUTES_MAX);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @CsvSource({"WithoutSeqCheck, TicketAcceptedOnce", "WithoutEpochCheck, OldEpochsAreNotObeyed"})
  void aWorkerThatDoesNotCheckIsRefuted(String model, String invariant)
      throws IOException, InterruptedException {
    String output = check("TicketSafety", model, MINUTES_MAX);
    assertTrue(output.contains("Invariant " + invariant + " is violated"), output);
  }
}
