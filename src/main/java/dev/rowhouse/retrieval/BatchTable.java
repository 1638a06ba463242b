package dev.rowhouse.retrieval;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The file batches of one tenant. What a batch counts is the status of its files in the store. */
sealed interface BatchTable permits SqlBatchTable, CqlBatchTable {
  /** Makes the batch unless it exists. */
  void create(String id, String store, List<String> files, Instant now);

  @Nullable FileBatch get(String id, String store);

  /** Cancels the batch's files that are in progress; what is completed stays. */
  void cancel(String id, String store);

  static FileStatus statusOf(boolean cancelled, FileCounts counts) {
    if (counts.inProgress() > 0) {
      return FileStatus.IN_PROGRESS;
    }
    if (cancelled) {
      return FileStatus.CANCELLED;
    }
    return counts.total() > 0 && counts.failed() == counts.total()
        ? FileStatus.FAILED
        : FileStatus.COMPLETED;
  }
}
