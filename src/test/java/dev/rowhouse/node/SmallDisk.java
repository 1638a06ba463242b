package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A file system of its own of a few MiB (tmpfs), which a test can fill. Mounting needs root: where
 * it is not allowed, the test is skipped and says so.
 */
public final class SmallDisk implements AutoCloseable {
  private static final int BLOCK_BYTES = 4 * 1024;

  /** More names than a test makes, and few enough to use up. */
  private static final int FILES_MAX = 1_024;

  private final Path directory;

  private SmallDisk(Path directory) {
    this.directory = directory;
  }

  /**
   * Mounts it.
   *
   * @param directory is made if need be
   */
  public static SmallDisk at(Path directory, int mebibytes) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String size = "size=%dm,nr_inodes=%d".formatted(mebibytes, FILES_MAX);
    Assumptions.assumeTrue(
        run("mount", "-t", "tmpfs", "-o", size, "tmpfs", directory.toString()) == 0,
        "skipped: a small file system cannot be mounted here");
    return new SmallDisk(directory);
  }

  public Path directory() {
    return directory;
  }

  /** Fills it but for so many bytes. */
  public void fill(long leftBytes) {
    byte[] block = new byte[BLOCK_BYTES];
    try (OutputStream out = Files.newOutputStream(filler())) {
      while (Files.getFileStore(directory).getUsableSpace() > leftBytes) {
        out.write(block);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes the last names too: no file can be made, not even an empty one. */
  public void takeNames() {
    try {
      Files.createDirectories(names());
      for (int i = 0; i < FILES_MAX; i++) {
        Files.createFile(names().resolve(Integer.toString(i)));
      }
      throw new AssertionError("the disk still has names");
    } catch (IOException full) {
      // That is what it was for.
    }
  }

  /** Gives back what was taken. */
  public void makeRoom() {
    try {
      Files.deleteIfExists(filler());
      for (int i = 0; i < FILES_MAX; i++) {
        Files.deleteIfExists(names().resolve(Integer.toString(i)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path filler() {
    return directory.resolve("filler");
  }

  private Path names() {
    return directory.resolve("names");
  }

  private static int run(String... command) {
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException e) {
      return -1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    assertEquals(0, run("umount", directory.toString()), "unmounting " + directory);
  }
}
