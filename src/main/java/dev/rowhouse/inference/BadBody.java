package dev.rowhouse.inference;

import org.jspecify.annotations.Nullable;

/** A body that is no request of its kind; the message says why and may be shown. */
final class BadBody extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String param;

  BadBody(String message, @Nullable String param) {
    super(message);
    this.param = param;
  }

  EngineEvent.Failure failure() {
    return EngineEvent.Failure.invalid(String.valueOf(getMessage()), param);
  }
}
