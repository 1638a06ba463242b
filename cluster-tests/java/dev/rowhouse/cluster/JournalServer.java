package dev.rowhouse.cluster;

import java.nio.file.Path;
import java.util.Map;

/** The database that all nodes of a cluster share, in a process of its own. */
public interface JournalServer extends AutoCloseable {
  /** What it is called in a report. */
  String name();

  /** What a node's environment needs to find it, {@code ROWHOUSE_JVM_OPTS} left out. */
  Map<String, String> environment();

  /** The node's profiles when more are laid on top of the journal's own, which may be none. */
  default String profilesAnd(String more) {
    String own = environment().getOrDefault("ROWHOUSE_PROFILES", "");
    return own.isEmpty() ? more : own + "," + more;
  }

  /** What a node's JVM options need to find it. */
  String jvmOptions();

  /** Stops it in the middle of whatever it does; what it has acknowledged it must keep. */
  void kill();

  /** Stops it in time; what it was asked waits. */
  void freeze();

  /** Lets it go on. */
  void thaw();

  /** Starts it again, with what it had. */
  void start();

  @Override
  void close();

  /**
   * The journal that a build's clusters run on: Cassandra, or with {@code
   * -Drowhouse.cluster.journal=h2} the server of H2.
   */
  static JournalServer started(Path directory, String host) {
    String kind = System.getProperty("rowhouse.cluster.journal", "cassandra");
    JournalServer server =
        switch (kind) {
          case "cassandra" -> new CassandraServer(directory, host);
          case "h2" -> new H2Server(directory, host);
          default ->
              throw new IllegalArgumentException(
                  "rowhouse.cluster.journal is cassandra or h2, not " + kind);
        };
    try {
      server.start();
    } catch (AssertionError | RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }
}
