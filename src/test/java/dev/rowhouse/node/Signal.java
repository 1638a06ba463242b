package dev.rowhouse.node;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Signals that Java cannot send. */
public final class Signal {
  private Signal() {}

  public static void send(String name, Process process) {
    try {
      int code =
          new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
      if (code != 0) {
        throw new IllegalStateException("kill -" + name + " ended with " + code);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
