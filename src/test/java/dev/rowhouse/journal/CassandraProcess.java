package dev.rowhouse.journal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The real Apache Cassandra 5 in a process of its own, for tests.
 *
 * <p>One server is enough for a build: the first test that asks starts it, and every JVM that uses
 * it holds a shared lock on a file beside it. The last JVM that ends stops it. It needs a JDK 17
 * and its own class path, which {@code src/test/cassandra/pom.xml} writes to a file. {@code
 * -Drowhouse.test.cassandra=host:port} names a server that is already there instead.
 *
 * <p>Each test class takes a keyspace of its own, and with it goes the one of the class before:
 * each table costs memory, and a server with 500 of them in a small heap does little but collect
 * garbage.
 */
public final class CassandraProcess {
  private static final String HOST = "127.0.0.1";
  private static final String EXISTING = "rowhouse.test.cassandra";
  private static final String JAVA_HOME = "rowhouse.test.cassandra.java-home";

  /** 6 to 21 s on two cores that do nothing else. */
  private static final Duration READY_MAX = Duration.ofMinutes(2);

  private static final Duration STOP_MAX = Duration.ofSeconds(30);

  /** Below the range from which systems take the ports of outgoing connections. */
  private static final int PORT_MIN = 12_000;

  private static final int PORT_MAX = 31_999;
  private static final String READY = "Starting listening for CQL";

  private static final List<String> FLAGS =
      List.of(
          "-Xms384m",
          "-Xmx512m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Djdk.attach.allowAttachSelf=true",
          "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
          "--add-exports=java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED",
          "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
          "--add-exports=java.rmi/sun.rmi.server=ALL-UNNAMED",
          "--add-exports=java.sql/java.sql=ALL-UNNAMED",
          "--add-exports=java.base/java.lang.ref=ALL-UNNAMED",
          "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
          "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
          "--add-exports=jdk.attach/sun.tools.attach=ALL-UNNAMED",
          "--add-opens=java.base/java.lang.module=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.loader=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.reflect=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.math=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.module=ALL-UNNAMED",
          "--add-opens=java.base/jdk.internal.util.jar=ALL-UNNAMED",
          "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "--add-opens=java.base/java.io=ALL-UNNAMED",
          "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
          "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
          "--add-opens=java.base/java.lang=ALL-UNNAMED",
          "--add-opens=java.base/java.util=ALL-UNNAMED",
          "-Dio.netty.tryReflectionSetAccessible=true",
          "-Dcassandra-foreground=yes",
          "-Dcassandra.skip_wait_for_gossip_to_settle=0",
          "-Dcassandra.ring_delay_ms=0",
          "-Dcassandra.initial_token=0",
          "-Dcassandra.disable_tcactive_openssl=true",
          "-Dcassandra.superuser_setup_delay_ms=0");

  /** A table is made in a tenth of the time, and is gone when the server is killed. */
  private static final String FAST_TABLES = "-Dcassandra.test.flush_local_schema_changes=false";

  private static @Nullable String shared;
  private static @Nullable Config latest;

  private CassandraProcess() {}

  /** Where the server of this build listens, as {@code host:port}; it is started if need be. */
  public static synchronized String address() {
    String existing = System.getProperty(EXISTING, "");
    if (!existing.isEmpty()) {
      return existing;
    }
    if (shared == null) {
      try {
        shared = share();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return shared;
  }

  /** conf/cassandra.conf for a keyspace on that server; the driver is patient. */
  public static Config config(String keyspace) {
    return config(address(), keyspace);
  }

  /** conf/cassandra.conf for a keyspace on the server at that address. */
  static Config config(String address, String keyspace) {
    return ContactPoints.spread(
        ConfigFactory.parseString(
                """
                rowhouse.data-dir = target
                rowhouse.journal.cassandra {
                  contact-points = "%s"
                  keyspace = %s
                  replication { class = SimpleStrategy, factor = 1 }
                }
                datastax-java-driver {
                  basic.request.timeout = 30s
                  advanced.connection { connect-timeout = 30s, init-query-timeout = 30s }
                  advanced.connection.set-keyspace-timeout = 30s
                  advanced.control-connection.timeout = 30s
                  advanced.metadata.schema.request-timeout = 30s
                }
                pekko.persistence.cassandra {
                  journal.circuit-breaker.call-timeout = 60s
                  snapshot.circuit-breaker.call-timeout = 60s
                  events-by-tag.tag-write-timeout = 60s
                  events-by-tag.first-time-bucket = "%s"
                }
                """
                    .formatted(address, keyspace, yesterday()))
            .withFallback(ConfigFactory.parseResources("cassandra.conf"))
            .withFallback(ConfigFactory.parseResources("persistence.conf"))
            .withFallback(ConfigFactory.defaultReferenceUnresolved())
            .resolve());
  }

  /**
   * A keyspace of its own with the tables of those rooms, and a session in it.
   *
   * @param rooms scripts of the schema; none: all
   */
  public static Cassandra keyspace(String name, String... rooms) {
    return open(config(freshName(name)), rooms);
  }

  /** A keyspace of that name, with the tables of those rooms, and a session in it. */
  public static Cassandra keyspaceNamed(String name, String... rooms) {
    return open(config(name), rooms);
  }

  /** The first hour that is asked for events. */
  public static String yesterday() {
    return LocalDate.now(ZoneOffset.UTC).minusDays(1).format(DateTimeFormatter.BASIC_ISO_DATE)
        + "T00:00";
  }

  /** A name of a keyspace that nobody has. */
  public static String freshName(String name) {
    return (name + "_" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36))
        .toLowerCase(Locale.ROOT);
  }

  /** Makes the keyspace that the configuration names instead of the latest, and opens a session. */
  public static synchronized Cassandra open(Config config, String... rooms) {
    if (latest != null) {
      drop(Cassandra.keyspace(latest));
    }
    latest = config;
    if (rooms.length == 0) {
      CqlSchema.create(config);
    } else {
      CqlSchema.create(config, List.of(rooms));
    }
    return Cassandra.open(config);
  }

  /** Drops a keyspace, if it is there. */
  public static void drop(String keyspace) {
    try (Cassandra outside = Cassandra.openOutside(config(keyspace))) {
      outside.executeOnce("drop keyspace if exists " + keyspace);
    }
  }

  /** Empties those tables. */
  public static void truncate(Cassandra cassandra, String... tables) {
    for (String table : tables) {
      cassandra.executeOnce("truncate " + table);
    }
  }

  private static String share() throws IOException {
    Path directory =
        Path.of(System.getProperty("rowhouse.target", "target"))
            .resolve("cassandra")
            .toAbsolutePath();
    Files.createDirectories(directory);
    Path place = directory.resolve("server");
    FileChannel users =
        FileChannel.open(
            directory.resolve("users"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try (FileChannel starting =
            FileChannel.open(
                directory.resolve("starting"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock _ = starting.lock()) {
      FileLock using = users.lock(0, Long.MAX_VALUE, true);
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> stopIfLast(users, using, place), "cassandra-stop"));
      String running = running(place);
      return running == null ? start(directory, place) : running;
    }
  }

  /** The server that the file names, if it still is one: a line with its address and its id. */
  private static @Nullable String running(Path place) throws IOException {
    if (!Files.exists(place)) {
      return null;
    }
    String[] line = Files.readString(place).strip().split(" ", -1);
    if (line.length != 2 || ProcessHandle.of(Long.parseLong(line[1])).isEmpty()) {
      return null;
    }
    int colon = line[0].indexOf(':');
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(
              line[0].substring(0, colon), Integer.parseInt(line[0].substring(colon + 1))),
          (int) Duration.ofSeconds(10).toMillis());
      return line[0];
    } catch (IOException e) {
      return null;
    }
  }

  private static void stopIfLast(FileChannel users, FileLock using, Path place) {
    try (users) {
      using.release();
      try (FileLock last = users.tryLock()) {
        if (last != null && Files.exists(place)) {
          String[] line = Files.readString(place).strip().split(" ", -1);
          Files.delete(place);
          stop(ProcessHandle.of(Long.parseLong(line[1])));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void stop(Optional<ProcessHandle> server) {
    if (server.isPresent()) {
      server.get().destroy();
      try {
        server.get().onExit().get(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        server.get().destroyForcibly();
      }
    }
  }

  private static String start(Path directory, Path place) throws IOException {
    Path data = directory.resolve("node");
    clear(data);
    Files.createDirectories(data);
    int port = freePort();
    Process process = launch(data, directory.resolve("cassandra.log"), HOST, port, FAST_TABLES);
    try {
      awaitReady(process, directory.resolve("cassandra.log"));
    } catch (AssertionError | RuntimeException | IOException e) {
      process.destroyForcibly();
      throw e;
    }
    String address = HOST + ":" + port;
    Files.writeString(place, address + " " + process.pid());
    return address;
  }

  /**
   * Starts a server with its data in that directory; a later one on the same data goes on.
   *
   * @param host the address on which it takes clients
   * @param more JVM options
   */
  public static Process launch(Path data, Path log, String host, int port, String... more)
      throws IOException {
    Path yaml = data.resolve("cassandra.yaml");
    Files.createDirectories(data);
    Files.writeString(
        yaml,
        resource("cassandra-test.yaml")
            .replace("@DIRECTORY@", data.toString())
            .replace("@NATIVE_HOST@", host)
            .replace("@NATIVE_PORT@", Integer.toString(port))
            .replace("@STORAGE_PORT@", Integer.toString(freePort())));
    List<String> command = new ArrayList<>();
    command.add(javaHome().resolve("bin/java").toString());
    command.addAll(FLAGS);
    command.addAll(List.of(more));
    command.add("-Dcassandra.config=" + yaml.toUri());
    command.add("-Dcassandra.storagedir=" + data);
    command.add("-Dcassandra.logdir=" + data);
    command.add("-Djava.io.tmpdir=" + Files.createDirectories(data.resolve("tmp")));
    command.add("-cp");
    command.add(classPath());
    command.add("org.apache.cassandra.service.CassandraDaemon");
    return new ProcessBuilder(command)
        .directory(data.toFile())
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  /** Waits until it takes clients. */
  public static void awaitReady(Process process, Path log) throws IOException {
    Instant deadline = Instant.now().plus(READY_MAX);
    while (!Files.readString(log, StandardCharsets.ISO_8859_1).contains(READY)) {
      if (!process.isAlive()) {
        throw new AssertionError("Cassandra ended while it started; see " + log);
      }
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("Cassandra was not ready within " + READY_MAX + "; see " + log);
      }
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
  }

  private static String classPath() throws IOException {
    Path file =
        Path.of(System.getProperty("rowhouse.target", "target"))
            .resolve("cassandra-classpath")
            .toAbsolutePath();
    if (!Files.exists(file)) {
      throw new IllegalStateException(
          "no "
              + file
              + "; `mvn -q -B -f src/test/cassandra/pom.xml initialize` makes it, and so does mvn"
              + " verify");
    }
    return Files.readString(file).strip();
  }

  /** Cassandra 5 runs on Java 17 and on no later one. Maven's own is one of those asked. */
  private static Path javaHome() throws IOException {
    List<Path> homes = new ArrayList<>();
    for (String home :
        new String[] {
          System.getProperty(JAVA_HOME, ""),
          System.getenv().getOrDefault("JAVA17_HOME", ""),
          System.getenv().getOrDefault("JAVA_HOME", "")
        }) {
      if (!home.isEmpty()) {
        homes.add(Path.of(home));
      }
    }
    Path user = Path.of(System.getProperty("user.home"));
    for (Path root :
        List.of(
            Path.of("/usr/lib/jvm"),
            Path.of("/usr/java"),
            Path.of("/opt/java"),
            user.resolve(".sdkman/candidates/java"),
            user.resolve(".jdks"),
            user.resolve(".m2/jdks"),
            Path.of("/Library/Java/JavaVirtualMachines"))) {
      if (Files.isDirectory(root)) {
        try (Stream<Path> children = Files.list(root)) {
          children.sorted().forEach(homes::add);
        }
      }
    }
    for (Path home : homes) {
      for (Path inside : List.of(home, home.resolve("Contents/Home"))) {
        Path release = inside.resolve("release");
        if (Files.isExecutable(inside.resolve("bin/java"))
            && Files.isReadable(release)
            && Files.readString(release).contains("JAVA_VERSION=\"17")) {
          return inside;
        }
      }
    }
    throw new IllegalStateException(
        "Cassandra 5 needs a Java 17, and none was found in "
            + homes
            + ". Set JAVA17_HOME, or point -D"
            + EXISTING
            + "=host:port at a Cassandra.");
  }

  /** A port that nobody has at the moment. */
  public static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (BindException e) {
        // Somebody else has it.
      }
    }
  }

  private static void clear(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = CassandraProcess.class.getResourceAsStream("/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
