package dev.rowhouse.cluster;

import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The real Apache Cassandra 5, one server of a cluster's own, with the tables in it. */
final class CassandraServer extends ServerProcess {
  private static final long SCHEMA_MINUTES_MAX = 4;

  private final Path directory;
  private final String host;
  private final int port;
  private boolean hasTables;

  CassandraServer(Path directory, String host) {
    this.directory = directory;
    this.host = host;
    try {
      this.port = CassandraProcess.freePort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return "cassandra";
  }

  @Override
  public Map<String, String> environment() {
    return Map.of(
        "ROWHOUSE_PROFILES",
        "cassandra",
        "ROWHOUSE_CASSANDRA",
        host + ":" + port,
        "ROWHOUSE_CASSANDRA_REPLICATION",
        "1",
        "ROWHOUSE_CASSANDRA_SINCE",
        CassandraProcess.yesterday());
  }

  @Override
  public String jvmOptions() {
    return "";
  }

  @Override
  public void start() {
    try {
      Files.createDirectories(directory);
      Path log = directory.resolve("cassandra.log");
      Process started = CassandraProcess.launch(directory.resolve("cassandra"), log, host, port);
      runs(started);
      CassandraProcess.awaitReady(started, log);
      if (!hasTables) {
        makeTables();
        hasTables = true;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void makeTables() throws IOException {
    Path log = directory.resolve("schema.log");
    ProcessBuilder schema =
        new ProcessBuilder(NodeProcess.distribution().resolve("bin/rowhouse").toString(), "schema")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    schema.environment().keySet().removeIf(name -> name.startsWith("ROWHOUSE_"));
    schema.environment().putAll(environment());
    Process made = schema.start();
    try {
      if (!made.waitFor(SCHEMA_MINUTES_MAX, TimeUnit.MINUTES) || made.exitValue() != 0) {
        made.destroyForcibly();
        throw new AssertionError("rowhouse schema has failed:\n" + Files.readString(log));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
