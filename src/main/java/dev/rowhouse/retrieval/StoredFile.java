package dev.rowhouse.retrieval;

import java.time.Instant;

/**
 * An uploaded file.
 *
 * @param sizeBytes what was received, which is what {@link FileStatus} knows nothing of: a file is
 *     listed only after its upload was finished
 */
public record StoredFile(
    String id, String filename, String purpose, long sizeBytes, Instant createdAt) {}
