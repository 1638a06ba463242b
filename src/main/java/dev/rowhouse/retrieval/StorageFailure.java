package dev.rowhouse.retrieval;

import org.jspecify.annotations.Nullable;

/** The database or the index did not do its work; the caller may try again later. */
final class StorageFailure extends RuntimeException {
  StorageFailure(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
