package dev.rowhouse.journal;

import org.jspecify.annotations.Nullable;

/** The journal's database did not do what it was asked; it may be away, full or damaged. */
public final class JournalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public JournalException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
