package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The unmodified OpenAI SDK for Node against a node. The script is {@code src/test/node/check.mjs};
 * npm installs the SDK into {@code target/}.
 */
class OpenAiNodeIT {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Path SOURCES = Path.of("src/test/node");

  @Test
  @Timeout(900)
  void theSdkForNodeWorksUnmodified(@TempDir Path directory)
      throws IOException, InterruptedException {
    assumeTrue(runs(List.of("node", "--version")), "node is not on the PATH");
    assumeTrue(runs(List.of("npm", "--version")), "npm is not on the PATH");
    Path project = installed();
    try (NodeProcess node = NodeProcess.started(directory)) {
      String key = node.operator().onboard("acme");
      String limited =
          node.operator().onboard("limited", "{\"limits\": {\"requests_per_minute\": 1}}");
      Path log = directory.resolve("check.log");
      int exit =
          run(
              List.of("node", "check.mjs"),
              project,
              log,
              Map.of(
                  "ROWHOUSE_BASE_URL", node.httpUri() + "/v1",
                  "ROWHOUSE_KEY", key,
                  "ROWHOUSE_LIMITED_KEY", limited));
      assertEquals(0, exit, Files.readString(log));
    }
  }

  private static Path installed() throws IOException, InterruptedException {
    Path project = Path.of(System.getProperty("rowhouse.target", "target"), "openai-node");
    Files.createDirectories(project);
    for (String file : List.of("package.json", "package-lock.json", "check.mjs")) {
      Files.copy(SOURCES.resolve(file), project.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
    Path log = project.resolve("npm.log");
    int exit =
        run(
            List.of("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
            project,
            log,
            Map.of());
    assumeTrue(exit == 0, "npm cannot install the SDK: " + Files.readString(log));
    return project;
  }

  private static boolean runs(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException notThere) {
      return false;
    }
  }

  private static int run(
      List<String> command, Path directory, Path log, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toAbsolutePath().toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(command + " takes over " + PATIENCE + ": " + Files.readString(log));
    }
    return process.exitValue();
  }
}
