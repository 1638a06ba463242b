package dev.rowhouse.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.h2.store.fs.FileBase;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/**
 * A file system under the scheme {@code forgetful:} whose files live in memory, as in an operating
 * system's cache. Only what was forced, or written synchronously, reaches the disk below. After the
 * power cut nothing works any more, and the disk has what it has.
 */
public final class ForgetfulFiles extends FilePathWrapper {
  private static final String CACHE = "memFS:";
  private static final AtomicBoolean OFF = new AtomicBoolean();

  /** Power on. */
  public static void register() {
    OFF.set(false);
    FilePath.register(new ForgetfulFiles());
  }

  public static void cutThePower() {
    OFF.set(true);
  }

  private static void live() throws IOException {
    if (OFF.get()) {
      throw new IOException("the power is off");
    }
  }

  @Override
  public String getScheme() {
    return "forgetful";
  }

  @Override
  protected FilePath unwrap(String fileName) {
    return FilePath.get(CACHE + onDisk(fileName));
  }

  @Override
  public FilePath getParent() {
    return FilePath.get(String.valueOf(onDisk(toString()).getParent()));
  }

  private Path onDisk(String fileName) {
    return Path.of(fileName.substring(getPrefix().length()).replace(CACHE, ""));
  }

  @Override
  public FileChannel open(String mode) throws IOException {
    live();
    FileChannel cache = super.open(mode.equals("r") ? "r" : "rw");
    FileChannel disk =
        FileChannel.open(
            onDisk(toString()),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    return new Cached(cache, disk, mode.equals("rwd"));
  }

  private static final class Cached extends FileBase {
    private final FileChannel cache;
    private final FileChannel disk;
    private final boolean synchronous;

    private Cached(FileChannel cache, FileChannel disk, boolean synchronous) {
      this.cache = cache;
      this.disk = disk;
      this.synchronous = synchronous;
    }

    @Override
    public synchronized int write(ByteBuffer source, long position) throws IOException {
      live();
      ByteBuffer same = source.duplicate();
      int written = cache.write(source, position);
      if (synchronous) {
        disk.write(same.limit(same.position() + written), position);
      }
      return written;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      int written = write(source, cache.position());
      cache.position(cache.position() + written);
      return written;
    }

    @Override
    public synchronized int read(ByteBuffer target, long position) throws IOException {
      live();
      return cache.read(target, position);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      live();
      return cache.read(target);
    }

    @Override
    public synchronized FileChannel truncate(long size) throws IOException {
      live();
      cache.truncate(size);
      if (synchronous) {
        disk.truncate(size);
      }
      return this;
    }

    @Override
    public synchronized void force(boolean metaData) throws IOException {
      live();
      ByteBuffer all = ByteBuffer.allocate((int) cache.size());
      cache.read(all, 0);
      disk.truncate(all.limit());
      disk.write(all.flip(), 0);
    }

    @Override
    public long position() throws IOException {
      return cache.position();
    }

    @Override
    public FileChannel position(long position) throws IOException {
      cache.position(position);
      return this;
    }

    @Override
    public long size() throws IOException {
      live();
      return cache.size();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
      live();
      return cache.tryLock(position, size, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
      cache.close();
      disk.close();
    }
  }
}
