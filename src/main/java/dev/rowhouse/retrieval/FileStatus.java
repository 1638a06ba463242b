package dev.rowhouse.retrieval;

import java.util.Locale;

/**
 * How far a file of a store (or a batch of them) has come; only these four, clients poll on them.
 */
public enum FileStatus {
  IN_PROGRESS,
  COMPLETED,
  FAILED,
  CANCELLED;

  /** The name on the wire and in the tables. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  static FileStatus of(String wireName) {
    return valueOf(wireName.toUpperCase(Locale.ROOT));
  }
}
