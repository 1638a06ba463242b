package dev.rowhouse.retrieval;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A named set of files that is searched as one.
 *
 * @param expiresAfterDays days without use after which it is no longer searched; null for never
 * @param usageBytes the text and vectors of its completed files
 */
public record VectorStore(
    String id,
    String name,
    Map<String, String> metadata,
    Instant createdAt,
    Instant lastActiveAt,
    @Nullable Integer expiresAfterDays,
    FileCounts counts,
    long usageBytes) {
  /** The id of the store that every tenant has from its first day; it cannot be deleted. */
  public static final String DEFAULT_ID = "default";

  public static final int NAME_CHARS_MAX = 256;
  public static final int EXPIRES_DAYS_MAX = 365;

  public VectorStore {
    metadata = Map.copyOf(metadata);
  }

  public @Nullable Instant expiresAt() {
    return expiresAfterDays == null ? null : lastActiveAt.plus(Duration.ofDays(expiresAfterDays));
  }

  public boolean expired(Instant now) {
    Instant end = expiresAt();
    return end != null && !now.isBefore(end);
  }

  VectorStore with(FileCounts newCounts, long newUsageBytes) {
    return new VectorStore(
        id, name, metadata, createdAt, lastActiveAt, expiresAfterDays, newCounts, newUsageBytes);
  }
}
