package dev.rowhouse.retrieval;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file in a store; its id is the file's.
 *
 * @param attributes what a search can filter by: String, Long, Double or Boolean values
 * @param usageBytes the text and vectors of its chunks; 0 until it is completed
 */
public record StoreFile(
    String fileId,
    String storeId,
    FileStatus status,
    @Nullable FileError lastError,
    Map<String, Object> attributes,
    long usageBytes,
    ChunkingStrategy chunking,
    Instant createdAt) {
  public StoreFile {
    attributes = Map.copyOf(attributes);
  }
}
