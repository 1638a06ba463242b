package dev.rowhouse.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A main class in a process of its own, on our class path and with a node's JVM options. */
final class Child implements AutoCloseable {
  private static final Duration LISTENS_MAX = Duration.ofSeconds(30);

  private final Process process;

  private Child(Process process) {
    this.process = process;
  }

  /** Starts it and waits until it listens on the port. */
  static Child start(Path log, Path jvmOptions, Class<?> main, int port, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + jvmOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), main.getName()));
    command.add(Integer.toString(port));
    command.addAll(arguments);
    Child child =
        new Child(
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start());
    Runtime.getRuntime().addShutdownHook(new Thread(child::close));
    Instant deadline = Instant.now().plus(LISTENS_MAX);
    while (!listens(port)) {
      if (!child.process.isAlive() || Instant.now().isAfter(deadline)) {
        child.close();
        throw new IOException(main.getSimpleName() + " does not listen: " + Files.readString(log));
      }
      Thread.sleep(50);
    }
    return child;
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
