package dev.rowhouse.tenant;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A secret that a node makes at its first start: a file that its owner alone can read. */
final class SecretFile {
  /** 256 bit: as long as the output of the HMAC that each is used with (RFC 2104, section 3). */
  private static final int SECRET_BYTES = 32;

  /** Shorter text from the environment could be guessed. */
  private static final int TEXT_LENGTH_MIN = 32;

  private SecretFile() {}

  /**
   * The text of a secret: of the environment where that has one, else of the file, which is made
   * when there is none.
   *
   * @param mayMake whether a new one loses nothing
   * @param remedy what to do when the file is damaged
   * @return absent: there is none, and none may be made
   */
  static @Nullable String load(
      @Nullable String fromEnvironment,
      Path file,
      RandomGenerator random,
      boolean mayMake,
      String remedy)
      throws IOException {
    if (fromEnvironment != null && !fromEnvironment.isBlank()) {
      return fromEnvironment.strip();
    }
    if (!Files.exists(file)) {
      if (!mayMake) {
        return null;
      }
      create(file, random);
    }
    String text = Files.readString(file).strip();
    if (text.length() < TEXT_LENGTH_MIN) {
      throw new IOException(file + " is damaged: " + remedy);
    }
    return text;
  }

  /** Refuses a text that could be guessed. */
  static void require(String what, String text) {
    if (text.length() < TEXT_LENGTH_MIN) {
      throw new IllegalArgumentException(
          "the " + what + " must have at least " + TEXT_LENGTH_MIN + " characters");
    }
  }

  /** Makes it: after a crash or a power cut it is there whole or not at all. */
  private static void create(Path file, RandomGenerator random) throws IOException {
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    Path aside = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(aside);
    boolean isPosix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
    if (isPosix) {
      Files.createFile(
          aside,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } else {
      Files.createFile(aside);
    }
    Files.writeString(
        aside,
        HexFormat.of().formatHex(secret) + "\n",
        StandardOpenOption.WRITE,
        StandardOpenOption.DSYNC);
    try {
      Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException | FileAlreadyExistsException e) {
      throw new IOException("cannot make " + file, e);
    }
    Path directory = file.toAbsolutePath().getParent();
    if (isPosix && directory != null) {
      // The name is in the directory, which is forced apart from the file.
      try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
        names.force(true);
      }
    }
  }
}
