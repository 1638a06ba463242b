package dev.rowhouse.retrieval;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The copy of a store's index on this node cannot be written or read, as on a disk that is full.
 * Nothing is lost, and it is tried again, but not before some time.
 */
final class IndexFailure extends RuntimeException {
  private final Duration retryAfter;

  IndexFailure(String store, Duration retryAfter, @Nullable Throwable cause) {
    super("the index of store " + store + " failed", cause);
    this.retryAfter = retryAfter;
  }

  Duration retryAfter() {
    return retryAfter;
  }
}
