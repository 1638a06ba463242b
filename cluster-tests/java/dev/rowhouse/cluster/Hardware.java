package dev.rowhouse.cluster;

import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is under two of a cluster's nodes: the data of one lies on a small disk of its own (tmpfs,
 * which needs root), and the clock of another one can be set (libfaketime, of Debian's package
 * faketime).
 */
final class Hardware implements AutoCloseable {
  private static final int DISK_MIB = 96;
  private static final int FILL_BYTES = 1 << 20;
  private static final List<Path> LIBRARIES =
      List.of(
          Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"),
          Path.of("/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"),
          Path.of("/usr/lib64/faketime/libfaketime.so.1"),
          Path.of("/usr/lib/faketime/libfaketime.so.1"));

  private final @Nullable Path disk;
  private final @Nullable Path clock;

  private Hardware(@Nullable Path disk, @Nullable Path clock) {
    this.disk = disk;
    this.clock = clock;
  }

  /** Nothing that could be broken. */
  static Hardware none() {
    return new Hardware(null, null);
  }

  /** Puts them under nodes that are not started yet, as far as this machine lets it. */
  static Hardware under(NodeProcess onDisk, NodeProcess withClock, Path directory) {
    Path clock = null;
    for (Path library : LIBRARIES) {
      if (clock == null && Files.exists(library)) {
        clock = directory.resolve("clock");
        write(clock, "+0");
        withClock
            .with("LD_PRELOAD", library.toString())
            .with("FAKETIME_TIMESTAMP_FILE", clock.toString())
            .with("FAKETIME_CACHE_DURATION", "1")
            // Only the wall clock: nobody sets the one that timers use.
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
      }
    }
    return new Hardware(mounted(onDisk.data()), clock);
  }

  private static @Nullable Path mounted(Path data) {
    try {
      Files.createDirectories(data);
      boolean done =
          run("mount", "-t", "tmpfs", "-o", "size=" + DISK_MIB + "m", "tmpfs", data.toString());
      return done ? data : null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean hasDisk() {
    return disk != null;
  }

  boolean hasClock() {
    return clock != null;
  }

  void fillDisk() {
    byte[] nothing = new byte[FILL_BYTES];
    try {
      while (true) {
        Files.write(filling(), nothing, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }
    } catch (IOException full) {
      // That is what it was for.
    }
  }

  void emptyDisk() {
    try {
      Files.deleteIfExists(filling());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path filling() {
    if (disk == null) {
      throw new IllegalStateException("no node has a disk of its own");
    }
    return disk.resolve("filling");
  }

  /**
   * Sets the clock.
   *
   * @param offset seconds with their sign, from the right time
   */
  void setClock(String offset) {
    if (clock == null) {
      throw new IllegalStateException("no node has a clock of its own");
    }
    write(clock, offset);
  }

  private static void write(Path file, String line) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, line + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (disk != null) {
      try {
        run("umount", "-l", disk.toString());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static boolean run(String... command) throws IOException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
