package dev.rowhouse.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The distribution's AOT cache, as an image of a container has it: a start then takes less than
 * half of the CPU, and the nodes of these tests share one machine. Made once for a distribution.
 */
final class AotCache {
  private static final long TRAIN_MINUTES_MAX = 10;

  private AotCache() {}

  /** Where it is. */
  static synchronized Path made() {
    Path home = NodeProcess.distribution();
    Path cache = home.resolve("rowhouse.aot");
    try {
      if (!Files.exists(cache) || isOlder(cache, home.resolve("lib"))) {
        train(home);
      }
      return cache;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isOlder(Path cache, Path lib) throws IOException {
    try (Stream<Path> jars = Files.list(lib)) {
      for (Path jar : jars.toList()) {
        if (Files.getLastModifiedTime(jar).compareTo(Files.getLastModifiedTime(cache)) > 0) {
          return true;
        }
      }
      return false;
    }
  }

  private static void train(Path home) throws IOException {
    Path log = home.resolveSibling("aot-cache.log");
    Process training =
        new ProcessBuilder("sh", "docker/train", home.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      if (!training.waitFor(TRAIN_MINUTES_MAX, TimeUnit.MINUTES) || training.exitValue() != 0) {
        training.destroyForcibly();
        throw new AssertionError("docker/train has failed:\n" + Files.readString(log));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
