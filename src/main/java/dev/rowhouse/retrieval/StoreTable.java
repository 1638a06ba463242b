package dev.rowhouse.retrieval;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The stores of one tenant, and the sequence of changes that an index of each has to follow. */
sealed interface StoreTable permits SqlStoreTable, CqlStoreTable {
  /**
   * What an index must have seen.
   *
   * @param incarnation a store that was deleted and made again under the same id has another one
   * @param sequence the last change
   * @param prunedSequence an index that has not seen this one cannot catch up and is built anew
   */
  record Version(String incarnation, long sequence, long prunedSequence) {}

  /** A file that came into the store or left it, and the change's number. */
  record Change(String fileId, long sequence, boolean removed) {}

  /** Makes the store unless it exists. */
  void create(
      String id,
      String name,
      Map<String, String> metadata,
      @Nullable Integer expiresAfterDays,
      Instant now);

  long count();

  @Nullable VectorStore get(String id);

  /** Null when the cursor names no store. */
  @Nullable Page<VectorStore> list(PageRequest page);

  void update(
      String id, String name, Map<String, String> metadata, @Nullable Integer expiresAfterDays);

  void touch(String id, Instant now);

  /** Removes the store and what is in it; the files themselves stay. */
  boolean delete(String id);

  @Nullable Version version(String id);

  /** The changes after a sequence number, in order. */
  List<Change> changes(String id, long after, int limit);
}
