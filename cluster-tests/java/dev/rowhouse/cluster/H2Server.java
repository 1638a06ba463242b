package dev.rowhouse.cluster;

import dev.rowhouse.node.Await;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** H2's own server over TCP, from the jar of the distribution. */
public final class H2Server extends ServerProcess {
  private static final Duration START_MAX = Duration.ofMinutes(1);
  private static final int CONNECT_MILLIS = 500;

  private final Path directory;
  private final String host;
  private final int port = NodeProcess.freePorts(1).getFirst();

  public H2Server(Path directory, String host) {
    this.directory = directory;
    this.host = host;
  }

  @Override
  public String name() {
    return "h2";
  }

  @Override
  public Map<String, String> environment() {
    return Map.of();
  }

  @Override
  public String jvmOptions() {
    return "-Drowhouse.journal.jdbc.url=" + url();
  }

  /** Where its database is. */
  public String url() {
    return "jdbc:h2:tcp://%s:%d/./journal;WRITE_DELAY=0".formatted(host, port);
  }

  @Override
  public void start() {
    try {
      Files.createDirectories(directory);
      runs(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx512m",
                  "-Dh2.bindAddress=" + host,
                  "-cp",
                  NodeProcess.distribution().resolve("lib") + "/*",
                  "org.h2.tools.Server",
                  "-tcp",
                  "-tcpAllowOthers",
                  "-tcpPort",
                  Integer.toString(port),
                  "-ifNotExists",
                  "-baseDir",
                  directory.toString())
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("server.log").toFile())
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Await.until("the journal's server listens", START_MAX, this::listens);
  }

  private boolean listens() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      return true;
    } catch (IOException notYet) {
      return false;
    }
  }
}
