package dev.rowhouse.http;

import org.jspecify.annotations.Nullable;

/**
 * A client's connection: tells the request that runs on it when the client has left. At most one
 * request is in hand at a time, because pipelining is off.
 */
final class Connection {
  private @Nullable Runnable onGone;
  private boolean gone;

  /** Runs once when the client leaves before {@link #forget}; at once if it has left already. */
  synchronized void onGone(Runnable action) {
    if (gone) {
      action.run();
    } else {
      onGone = action;
    }
  }

  synchronized void forget() {
    onGone = null;
  }

  synchronized void gone() {
    gone = true;
    Runnable action = onGone;
    onGone = null;
    if (action != null) {
      action.run();
    }
  }
}
