package dev.rowhouse.retrieval;

/** The database or the index did not do its work; the caller may try again later. */
final class StorageFailure extends RuntimeException {
  StorageFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
