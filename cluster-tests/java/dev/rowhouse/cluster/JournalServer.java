package dev.rowhouse.cluster;

import java.nio.file.Path;
import java.util.Map;

/** The database that all nodes of a cluster share, in a process of its own. */
public interface JournalServer extends AutoCloseable {
  /** What it is called in a report. */
  String name();

  /** What a node's environment needs to find it, {@code ROWHOUSE_JVM_OPTS} left out. */
  Map<String, String> environment();

  /** What a node's JVM options need to find it. */
  String jvmOptions();

  /** Stops it in the middle of whatever it does; what it has acknowledged it must keep. */
  void kill();

  /** Starts it again, with what it had. */
  void start();

  @Override
  void close();

  /** The journal that this build's clusters run on. */
  static JournalServer started(Path directory, String host) {
    JournalServer server = new H2Server(directory, host);
    server.start();
    return server;
  }
}
