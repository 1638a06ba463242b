package dev.rowhouse.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A node in a process of its own: {@code bin/rowhouse serve} from the distribution.
 *
 * <p>Ports and data directory are this node's own and stay the same over {@link #start}s, so a node
 * that was killed comes back as itself. Whatever a test does, the process is gone when the test's
 * JVM is.
 */
public final class NodeProcess implements AutoCloseable {
  /** Seconds on an idle machine. */
  private static final Duration READY_MAX = Duration.ofMinutes(3);

  private static final Duration STOP_MAX = Duration.ofMinutes(2);

  /**
   * Below the range from which systems take the ports of outgoing connections: nobody gets one of
   * these by chance between the choice and a node's start, or between two starts.
   */
  private static final int PORT_MIN = 12_000;

  private static final int PORT_MAX = 31_999;
  private static final int PORT_TRIES_MAX = 1_000;
  private static final String JVM_OPTS = "ROWHOUSE_JVM_OPTS";
  private static final String HOST = "127.0.0.1";

  private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
  }

  /** A cold node on a slow machine searches for longer than a client would wait. */
  private static final String PATIENT =
      "-Drowhouse.journal.watch.answer-within=20s"
          + " -Drowhouse.serving.ledger.answer-within=20s"
          + " -Drowhouse.inference.search-timeout=90s"
          + " -Drowhouse.retrieval.search.ask-timeout=80s"
          + " -Drowhouse.retrieval.search.catch-up-timeout=70s"
          + " -Drowhouse.retrieval.entity.waiting-timeout=70s";

  /**
   * Whether nodes start with an AOT cache and without the second compiler: together these are more
   * than half of a start's CPU, and a test is over before they pay. Integration tests do so,
   * benchmarks must not.
   */
  private static final boolean FAST_STARTS = Boolean.getBoolean("rowhouse.test.fast-starts");

  private static final String ONE_COMPILER = FAST_STARTS ? " -XX:TieredStopAtLevel=1" : "";

  private final Path directory;
  private final Map<String, String> environment = new HashMap<>();
  private final String host;
  private final List<String> prefix;
  private final int httpPort;
  private final int operatorPort;
  private int starts;
  private @Nullable Process process;

  private NodeProcess(Path directory, String host, List<String> prefix, List<Integer> ports) {
    this.directory = directory;
    this.host = host;
    this.prefix = prefix;
    this.httpPort = ports.get(0);
    this.operatorPort = ports.get(1);
    environment.put("ROWHOUSE_JAVA_HOME", System.getProperty("java.home"));
    environment.put(JVM_OPTS, PATIENT + ONE_COMPILER);
    environment.put("ROWHOUSE_HOST", host);
    environment.put("ROWHOUSE_ARTERY_HOST", host);
    environment.put("ROWHOUSE_HTTP_PORT", Integer.toString(httpPort));
    environment.put("ROWHOUSE_OPERATOR_PORT", Integer.toString(operatorPort));
    environment.put("ROWHOUSE_ARTERY_PORT", Integer.toString(ports.get(2)));
    environment.put("ROWHOUSE_DATA_DIR", directory.resolve("data").toString());
    environment.put("ROWHOUSE_OPERATOR_TOKEN", "operator-token-of-a-test-" + httpPort);
  }

  /** A node that is not started yet, with its data and logs below the directory. */
  public static NodeProcess in(Path directory) {
    return new NodeProcess(directory, HOST, List.of(), freePorts(3));
  }

  /**
   * A node at another address, that is not started yet.
   *
   * @param prefix the command that starts it elsewhere, such as {@code ip netns exec NAME}; it must
   *     hand its process over, so that signals reach the node
   * @param ports of the tenant plane, the operator plane and Artery
   */
  public static NodeProcess at(
      Path directory, String host, List<String> prefix, List<Integer> ports) {
    return new NodeProcess(directory, host, prefix, ports);
  }

  /** A node that is ready. */
  public static NodeProcess started(Path directory) {
    NodeProcess node = in(directory);
    try {
      return node.start().awaitReady();
    } catch (AssertionError | RuntimeException e) {
      node.close();
      throw e;
    }
  }

  /** The directory that {@code mvn package} makes. */
  public static Path distribution() {
    Path found =
        Path.of(System.getProperty("rowhouse.distribution", "target/rowhouse-0.1.0"))
            .toAbsolutePath();
    if (!Files.isExecutable(found.resolve("bin/rowhouse"))) {
      throw new IllegalStateException("no distribution in " + found + "; mvn package makes it");
    }
    return found;
  }

  /** Ports that were free a moment ago, all different. */
  public static List<Integer> freePorts(int count) {
    Set<ServerSocket> sockets = new HashSet<>();
    try {
      for (int tries = 0; sockets.size() < count; tries++) {
        int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX + 1);
        try {
          sockets.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
        } catch (BindException taken) {
          if (tries == PORT_TRIES_MAX) {
            throw taken;
          }
        }
      }
      return sockets.stream().map(ServerSocket::getLocalPort).collect(Collectors.toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      sockets.forEach(NodeProcess::closeQuietly);
    }
  }

  private static void closeQuietly(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException ignored) {
      // The port was only asked for its number.
    }
  }

  /** Sets or replaces a variable of the node's environment, from the next start on. */
  public NodeProcess with(String name, String value) {
    environment.put(name, name.equals(JVM_OPTS) ? PATIENT + ONE_COMPILER + " " + value : value);
    return this;
  }

  /** The JVM options from the next start on, without the patience that a slow machine needs. */
  public NodeProcess withJvmOptions(String options) {
    environment.put(JVM_OPTS, options);
    return this;
  }

  public NodeProcess start() {
    starts++;
    try {
      Files.createDirectories(directory);
      List<String> command = new ArrayList<>(prefix);
      command.add(distribution().resolve("bin/rowhouse").toString());
      command.add("serve");
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectOutput(out().toFile())
              .redirectError(err().toFile());
      // A machine's own settings must not reach the node under test.
      builder.environment().keySet().removeIf(name -> name.startsWith("ROWHOUSE_"));
      if (FAST_STARTS) {
        builder.environment().put("ROWHOUSE_AOT_CACHE", AotCache.made().toString());
      }
      builder.environment().putAll(environment);
      process = builder.start();
      RUNNING.add(process());
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until {@code GET /ready} on the operator plane says 200. */
  public NodeProcess awaitReady() {
    Instant deadline = Instant.now().plus(READY_MAX);
    while (!isReady()) {
      if (!process().isAlive()) {
        throw new AssertionError(
            "the node ended with " + process().exitValue() + " before it was ready\n" + log());
      }
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("the node is not ready after " + READY_MAX + "\n" + log());
      }
      Await.pause(Duration.ofMillis(50));
    }
    return this;
  }

  boolean isReady() {
    return isReady(Duration.ofSeconds(20));
  }

  /** Whether it says so in time. */
  public boolean isReady(Duration within) {
    HttpRequest request =
        HttpRequest.newBuilder(operatorUri().resolve("/ready")).timeout(within).build();
    try {
      return ApiClient.sendOrThrow(request).status() == 200;
    } catch (ConnectException notYet) {
      return false;
    } catch (IOException notYet) {
      return false;
    }
  }

  /** Asks the node to stop, as a supervisor does, and returns its exit code. */
  public int stop() {
    process().destroy();
    return awaitExit(STOP_MAX);
  }

  /** Asks the node to stop and does not wait. */
  public void terminate() {
    process().destroy();
  }

  /** Ends the node without a warning. */
  public void kill9() {
    process().destroyForcibly();
    awaitExit(STOP_MAX);
  }

  /** Stops the node in time, as a long pause of its machine does. */
  public void freeze() {
    Signal.send("STOP", process());
  }

  /** Lets it go on. */
  public void thaw() {
    Signal.send("CONT", process());
  }

  /** The exit code, when the process ends in time. */
  public int awaitExit(Duration atMost) {
    try {
      if (!process().waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("the node still runs after " + atMost + "\n" + log());
      }
      RUNNING.remove(process());
      return process().exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    Process running = process;
    if (running != null && running.isAlive()) {
      kill9();
    }
  }

  private Process process() {
    if (process == null) {
      throw new IllegalStateException("the node was never started");
    }
    return process;
  }

  public long pid() {
    return process().pid();
  }

  public Path data() {
    return Path.of(environment("ROWHOUSE_DATA_DIR"));
  }

  String environment(String name) {
    return environment.getOrDefault(name, "");
  }

  public URI httpUri() {
    return URI.create("http://" + host + ":" + httpPort);
  }

  public URI operatorUri() {
    return URI.create("http://" + host + ":" + operatorPort);
  }

  public Operator operator() {
    return new Operator(operatorUri(), environment("ROWHOUSE_OPERATOR_TOKEN"));
  }

  public TenantClient tenant(@Nullable String key) {
    return new TenantClient(httpUri(), key);
  }

  private Path out() {
    return directory.resolve("node-" + starts + ".out");
  }

  private Path err() {
    return directory.resolve("node-" + starts + ".err");
  }

  /** What the latest start wrote to its standard output. */
  public String standardOutput() {
    return read(out());
  }

  /** What the latest start wrote to its standard error, without the JVM's note on incubators. */
  public String standardError() {
    return read(err())
        .lines()
        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
        .collect(Collectors.joining("\n"));
  }

  public boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** The last lines of both outputs, for the message of a failed test. */
  public String log() {
    return "--- stdout\n" + tail(standardOutput()) + "\n--- stderr\n" + tail(standardError());
  }

  private static String tail(String text) {
    List<String> lines = text.lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
