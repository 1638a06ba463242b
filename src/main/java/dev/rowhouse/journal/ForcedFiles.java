package dev.rowhouse.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/**
 * Files of H2 of which every write is on the disk before it returns, under the scheme {@code
 * forced:} of a database's URL.
 *
 * <p>H2 with WRITE_DELAY=0 writes a commit to its file before it acknowledges it, but leaves it in
 * the operating system's cache: a kill loses nothing, a power cut some seconds. Here the file is
 * open for synchronised writes (O_DSYNC). H2 writes one chunk for a commit, and one commit is a
 * group commit of many tenants, so that is one wait for the disk for all of them.
 */
public final class ForcedFiles extends FilePathWrapper {
  private static final String SCHEME = "forced";
  private static final FilePath REGISTERED = new ForcedFiles();

  /** Lets H2 know the scheme. */
  public static void register() {
    FilePath.register(REGISTERED);
  }

  @Override
  public FileChannel open(String mode) throws IOException {
    if (!mode.equals("rw")) {
      return super.open(mode);
    }
    boolean isNew = !exists();
    FileChannel channel = super.open("rwd");
    if (isNew) {
      forceEntry();
    }
    return channel;
  }

  /** A new file is only safe when its directory's entry is. */
  private void forceEntry() throws IOException {
    Path directory = Path.of(unwrap().getParent().toString());
    try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
      entries.force(true);
    }
  }

  @Override
  public String getScheme() {
    return SCHEME;
  }
}
