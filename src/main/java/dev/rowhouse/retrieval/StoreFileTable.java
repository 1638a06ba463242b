package dev.rowhouse.retrieval;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which files are in which store of one tenant, how far each has come, and its attributes. */
sealed interface StoreFileTable permits SqlStoreFileTable, CqlStoreFileTable {
  /** Removals that an index may still catch up with; one that is further behind is built anew. */
  int REMOVALS_KEPT = 10_000;

  /** Puts the files into the store as in progress, unless they are there and have not failed. */
  void attach(
      String store,
      List<String> files,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      Instant now);

  default void attach(
      String store,
      String file,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      Instant now) {
    attach(store, List.of(file), attributes, chunking, now);
  }

  @Nullable StoreFile get(String store, String file);

  long count(String store);

  /** How many of these are in the store already. */
  default int countOf(String store, List<String> files) {
    int known = 0;
    for (String file : files) {
      known += get(store, file) == null ? 0 : 1;
    }
    return known;
  }

  /** Null when the cursor names no file of the store (and batch). */
  @Nullable Page<StoreFile> list(
      String store, @Nullable String batch, @Nullable FileStatus status, PageRequest page);

  /** What the tenant is waiting for, oldest first. */
  List<StoreFile> inProgress(int limit);

  long inProgressCount();

  void updateAttributes(String store, String file, Map<String, Object> attributes);

  /**
   * From in progress to completed, together with the change that every index follows. False when
   * the file is no longer in progress: it was taken out or cancelled meanwhile.
   */
  boolean complete(String store, String file, long usageBytes);

  void fail(String store, String file, FileError error);

  void cancel(String store, String file);

  /** False when the file was not in the store. */
  boolean detach(String store, String file);

  /** What a search needs to know of a completed file. */
  record Entry(String filename, Map<String, Object> attributes) {}

  /** The completed files of a store by their ids; the number of files in a store is bounded. */
  Map<String, Entry> entries(String store);

  /** One completed file of a store; null when it is not there or not completed. */
  @Nullable Entry entry(String store, String file);
}
