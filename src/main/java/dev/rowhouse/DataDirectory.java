package dev.rowhouse;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;

/** The directory that one node has to itself: journal, indexes, secrets. */
final class DataDirectory implements AutoCloseable {
  private static final int TOKEN_BYTES = 24;

  private final Path path;
  private final FileChannel lockFile;

  private DataDirectory(Path path, FileChannel lockFile) {
    this.path = path;
    this.lockFile = lockFile;
  }

  /**
   * Makes the directory if need be and takes it; the operating system gives it back at the end.
   *
   * @param whenInUse what to do when a node has it
   */
  static DataDirectory take(Path path, String whenInUse) {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      Files.createDirectories(absolute);
      if (!Files.isWritable(absolute)) {
        throw unusable(absolute, "it is not writable");
      }
      FileChannel channel =
          FileChannel.open(
              absolute.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null) {
        channel.close();
        throw new StartFailure(
            StartFailure.DATA_DIRECTORY,
            "The data directory " + absolute + " is in use by another node. " + whenInUse);
      }
      return new DataDirectory(absolute, channel);
    } catch (FileAlreadyExistsException e) {
      throw unusable(absolute, "it is a file, not a directory");
    } catch (IOException e) {
      throw unusable(absolute, e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  static DataDirectory take(Path path) {
    return take(path, "Stop that node, or set ROWHOUSE_DATA_DIR to another directory.");
  }

  @SuppressWarnings("ReturnsNullCollection") // A lock that somebody else has is no error here.
  private static @org.jspecify.annotations.Nullable FileLock tryLock(FileChannel channel)
      throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private static StartFailure unusable(Path path, String why) {
    return new StartFailure(
        StartFailure.DATA_DIRECTORY,
        "The data directory "
            + path
            + " cannot be used: "
            + why
            + ". Mend that, or set ROWHOUSE_DATA_DIR to another directory.");
  }

  Path path() {
    return path;
  }

  Path operatorTokenFile() {
    return path.resolve("operator-token");
  }

  /** The operator's token: made at the first start, kept for its owner alone. */
  String operatorToken() {
    Path file = operatorTokenFile();
    try {
      if (!Files.exists(file)) {
        byte[] bytes = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(bytes);
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, "op_" + HexFormat.of().formatHex(bytes) + "\n");
      }
      String token = Files.readString(file, StandardCharsets.UTF_8).trim();
      if (token.isEmpty()) {
        throw unusable(path, "its file operator-token is empty; remove it to get a new one");
      }
      return token;
    } catch (IOException e) {
      throw unusable(path, "its file operator-token cannot be read or written");
    }
  }

  @Override
  public void close() {
    try {
      lockFile.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
