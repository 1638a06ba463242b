package dev.rowhouse.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  /**
   * The channel of each file, by its name. A store of H2 that fails leaves its file open and
   * locked; whoever opens it again takes it over, and the failed store can write no more.
   */
  private static final Map<String, FileChannel> OPEN = new ConcurrentHashMap<>();

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
    FileChannel before = OPEN.remove(toString());
    if (before != null) {
      before.close();
    }
    FileChannel channel = super.open("rwd");
    OPEN.put(toString(), channel);
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
