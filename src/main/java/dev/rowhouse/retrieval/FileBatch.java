package dev.rowhouse.retrieval;

import java.time.Instant;

/** Files that were attached to a store together. */
public record FileBatch(
    String id, String storeId, FileStatus status, FileCounts counts, Instant createdAt) {}
