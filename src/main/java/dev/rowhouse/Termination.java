package dev.rowhouse;

import java.util.List;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;

/**
 * SIGTERM, SIGINT and SIGHUP: each stops the node in order and ends the JVM with the stop's code.
 *
 * <p>The signals are taken before the JVM's own shutdown begins. Its hooks run all at once, and
 * that of ONNX Runtime takes the native environment away at once: an answer in flight that was
 * embedding a text would end in a crash of the process, not in its last token. So the JVM is halted
 * when everything is closed, and no hook runs.
 */
final class Termination {
  private static final List<String> SIGNALS = List.of("TERM", "INT", "HUP");

  /** What a shell says of a process that a signal has ended. */
  private static final int SIGNAL_CODE = 128;

  private volatile @Nullable Node node;

  /** Takes the signals. One that comes before {@link #stops} ends the process as it would any. */
  Termination() {
    for (String name : SIGNALS) {
      try {
        Signal.handle(new Signal(name), this::end);
      } catch (IllegalArgumentException unknown) {
        // Not every system has each of them, and -Xrs keeps the JVM away from all.
      }
    }
  }

  /** From now on a signal stops this node. */
  void stops(Node started) {
    node = started;
  }

  private void end(Signal signal) {
    Node running = node;
    Runtime.getRuntime().halt(running == null ? SIGNAL_CODE + signal.getNumber() : running.stop());
  }
}
