package dev.rowhouse.cluster;

import dev.rowhouse.node.Signal;
import org.jspecify.annotations.Nullable;

/**
 * A journal's server that is a child process; whatever a test does, it ends with the test's JVM.
 */
abstract class ServerProcess implements JournalServer {
  private final Thread removal = new Thread(this::kill);
  private @Nullable Process process;

  ServerProcess() {
    Runtime.getRuntime().addShutdownHook(removal);
  }

  /** Takes the process that was started. */
  final void runs(Process started) {
    process = started;
  }

  @Override
  public void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      running.onExit().join();
    }
  }

  @Override
  public void freeze() {
    Signal.send("STOP", running());
  }

  @Override
  public void thaw() {
    Signal.send("CONT", running());
  }

  private Process running() {
    if (process == null) {
      throw new IllegalStateException("the server was never started");
    }
    return process;
  }

  @Override
  public void close() {
    kill();
    Runtime.getRuntime().removeShutdownHook(removal);
  }
}
