package dev.rowhouse.audit;

import dev.rowhouse.audit.AuditDraft.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Which entries are asked for; absent fields ask for any.
 *
 * @param after the number after which the page begins; 0: the first page
 */
public record AuditQuery(
    long after,
    int limit,
    @Nullable Long fromMillis,
    @Nullable Long toMillis,
    @Nullable String action,
    @Nullable String target,
    @Nullable Kind kind) {
  public static final int LIMIT_MAX = 1_000;

  public AuditQuery {
    if (limit < 1 || limit > LIMIT_MAX + 1) {
      throw new IllegalArgumentException("limit must be between 1 and " + LIMIT_MAX);
    }
  }

  static AuditQuery after(long sequence) {
    return new AuditQuery(sequence, LIMIT_MAX, null, null, null, null, null);
  }
}
