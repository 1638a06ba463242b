package dev.rowhouse.audit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/**
 * The head of the chain in a file beside the database: {@code audit-head}, a number and a hash. A
 * log whose end was cut in the database is shorter than this file says.
 */
public final class AuditHeadFile {
  private final Path file;

  public AuditHeadFile(Path directory) {
    this.file = directory.resolve("audit-head");
  }

  Path path() {
    return file;
  }

  /** Replaces it whole, so that whoever reads it sees the old head or the new one. */
  void write(AuditHead head) {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try {
      Files.writeString(next, AuditChain.text(head) + "\n", StandardCharsets.UTF_8);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The head; absent when there is no such file, as on a node that never kept the log. */
  @Nullable AuditHead read() {
    try {
      return Files.exists(file)
          ? AuditChain.head(Files.readString(file, StandardCharsets.UTF_8))
          : null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
