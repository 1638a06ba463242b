package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL of this machine in a process of its own: one for all tests of a JVM, with a
 * database for each of them. Where there is none, the test that asks is skipped and says so.
 *
 * <p>It refuses to run as root; then it runs as the user {@code postgres} or {@code nobody}.
 */
public final class PostgresqlProcess {
  private static final Duration START_MAX = Duration.ofMinutes(2);
  private static final AtomicInteger DATABASES = new AtomicInteger();
  private static final String USER = "rowhouse";

  private static @Nullable String shared;

  private PostgresqlProcess() {}

  /** Where the server of this JVM listens, as {@code host:port}; it is started if need be. */
  public static synchronized String address() {
    if (shared == null) {
      Path programs = programs();
      List<String> prefix = prefix();
      try {
        shared = start(programs, prefix);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return shared;
  }

  /** A database that nobody has used. */
  public static String freshDatabase() {
    String name = "rowhouse_" + DATABASES.incrementAndGet();
    try {
      create(name, "locale 'C'");
    } catch (SQLException e) {
      throw new AssertionError("no database " + name, e);
    }
    return name;
  }

  static void create(String name, String options) throws SQLException {
    try (Connection connection = connect("postgres");
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create database %s encoding 'UTF8' %s template template0".formatted(name, options));
    }
  }

  /** What a node's environment needs for a database. */
  public static Map<String, String> environment(String database) {
    return Map.of(
        "ROWHOUSE_PROFILES",
        "postgresql",
        "ROWHOUSE_POSTGRESQL",
        address(),
        "ROWHOUSE_POSTGRESQL_DATABASE",
        database);
  }

  /** conf/postgresql.conf for a fresh database; the pools are patient. */
  public static Config config() {
    return config(freshDatabase());
  }

  static Config config(String database) {
    return ConfigFactory.parseString(
            """
            rowhouse.data-dir = target
            rowhouse.journal.jdbc {
              address = "%s", database = %s, connections = 4, connection-timeout = 60s
            }
            pekko-persistence-jdbc.shared-databases.slick.db {
              numThreads = 4, maxConnections = 4, connectionTimeout = 60000
            }
            jdbc-journal.circuit-breaker.call-timeout = 60s
            jdbc-snapshot-store.circuit-breaker.call-timeout = 60s
            """
                .formatted(address(), database))
        .withFallback(ConfigFactory.parseResources("postgresql.conf"))
        .withFallback(ConfigFactory.parseResources("persistence.conf"))
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }

  /** A pool to a fresh database. */
  public static Database open() {
    return Database.open(config());
  }

  /** A connection to a database, past the pools. */
  public static Connection connect(String database) throws SQLException {
    return DriverManager.getConnection("jdbc:postgresql://" + address() + "/" + database, USER, "");
  }

  private static Path programs() {
    List<Path> found = new ArrayList<>();
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      found.add(Path.of(directory));
    }
    Path debian = Path.of("/usr/lib/postgresql");
    if (Files.isDirectory(debian)) {
      try (Stream<Path> versions = Files.list(debian)) {
        versions
            .sorted(Comparator.<Path>naturalOrder().reversed())
            .forEach(version -> found.add(version.resolve("bin")));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    Optional<Path> programs =
        found.stream()
            .filter(
                directory ->
                    Files.isExecutable(directory.resolve("initdb"))
                        && Files.isExecutable(directory.resolve("postgres")))
            .findFirst();
    assumeTrue(programs.isPresent(), "no PostgreSQL here: neither initdb nor postgres was found");
    return programs.orElseThrow();
  }

  /** The command that gives up root, where this process has it. */
  private static List<String> prefix() {
    if (!System.getProperty("user.name").equals("root")) {
      return List.of();
    }
    String user = user();
    assumeTrue(user != null, "PostgreSQL refuses to run as root, and there is no other user");
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/setpriv")),
        "PostgreSQL refuses to run as root, and there is no setpriv to become another user");
    return List.of("/usr/bin/setpriv", "--reuid", user, "--clear-groups");
  }

  private static @Nullable String user() {
    for (String name : List.of("postgres", "nobody")) {
      try {
        Path.of("/").getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(name);
        return name;
      } catch (UserPrincipalNotFoundException none) {
        // The next one, then.
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return null;
  }

  private static String start(Path programs, List<String> prefix) throws IOException {
    Path home = Files.createTempDirectory("rowhouse-postgresql");
    if (!prefix.isEmpty()) {
      Files.getFileAttributeView(home, FileOwnerAttributeView.class)
          .setOwner(
              home.getFileSystem()
                  .getUserPrincipalLookupService()
                  .lookupPrincipalByName(prefix.get(2)));
    }
    Path log = Files.createTempFile("rowhouse-postgresql", ".log");
    Path data = home.resolve("data");
    Process made =
        run(
            prefix,
            home,
            log,
            programs.resolve("initdb").toString(),
            "--pgdata=" + data,
            "--username=" + USER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync");
    int port = NodeProcess.freePorts(1).getFirst();
    try {
      if (!made.waitFor(START_MAX.toMillis(), TimeUnit.MILLISECONDS) || made.exitValue() != 0) {
        throw new AssertionError("initdb failed\n" + Files.readString(log));
      }
      Process server =
          run(
              prefix,
              home,
              log,
              programs.resolve("postgres").toString(),
              "-D",
              data.toString(),
              "-p",
              Integer.toString(port),
              "-c",
              "listen_addresses=127.0.0.1",
              "-c",
              "unix_socket_directories=");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(server, home, log)));
      awaitAnswer(server, port, log);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return "127.0.0.1:" + port;
  }

  private static Process run(List<String> prefix, Path home, Path log, String... command)
      throws IOException {
    List<String> whole = new ArrayList<>(prefix);
    whole.addAll(List.of(command));
    return new ProcessBuilder(whole)
        .directory(home.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  private static void awaitAnswer(Process server, int port, Path log)
      throws IOException, InterruptedException {
    long untilNanos = System.nanoTime() + START_MAX.toNanos();
    while (true) {
      try (Connection answer =
          DriverManager.getConnection(
              "jdbc:postgresql://127.0.0.1:" + port + "/postgres", USER, "")) {
        if (answer.isValid(10)) {
          return;
        }
      } catch (SQLException notYet) {
        if (!server.isAlive() || System.nanoTime() > untilNanos) {
          throw new AssertionError("PostgreSQL does not start\n" + Files.readString(log), notYet);
        }
      }
      Thread.sleep(50);
    }
  }

  /** Its children end with it. */
  private static void end(Process server, Path home, Path log) {
    server.destroyForcibly();
    server.onExit().join();
    try (Stream<Path> files = Files.walk(home)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      Files.deleteIfExists(log);
    } catch (IOException | UncheckedIOException e) {
      // A child that still ends was faster: what is left lies in the directory of temporary files.
    }
  }
}
