package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import dev.rowhouse.journal.ContactPoints;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is looked at before the rooms open, so that what is wrong is said at once and in one line.
 */
final class Preflight {
  private static final String DATA_DIRECTORY = "rowhouse.data-dir";

  /** Names files of conf/ that are laid over rowhouse.conf, such as {@code cassandra,tls}. */
  static final String PROFILES = "ROWHOUSE_PROFILES";

  /**
   * The directory of conf/. It is not on the class path of the distribution: the JVM's AOT cache
   * allows no directory there.
   */
  static final String CONF = "ROWHOUSE_CONF";

  private Preflight() {}

  /**
   * The configuration, with the data directory made absolute before anything refers to it: the
   * database takes no path that depends on where a process was started.
   */
  static Config loadConfig() {
    return loadConfig(dataDirectory());
  }

  /** The configuration with another data directory. */
  static Config loadConfig(Path directory) {
    try {
      return ContactPoints.spread(
          ConfigFactory.parseMap(
                  Map.of(DATA_DIRECTORY, directory.toAbsolutePath().normalize().toString()))
              .withFallback(ConfigFactory.parseMap(ClusterPlace.settings(System.getenv())))
              .withFallback(ConfigFactory.defaultOverrides())
              .withFallback(files())
              .withFallback(ConfigFactory.defaultReferenceUnresolved())
              .resolve());
    } catch (ConfigException e) {
      throw broken(e);
    }
  }

  /** The data directory that conf/ or the environment names. */
  static Path dataDirectory() {
    try {
      return Path.of(ConfigFactory.load(files()).getString(DATA_DIRECTORY));
    } catch (ConfigException e) {
      throw broken(e);
    }
  }

  /** rowhouse.conf, under the files of conf/ that the environment names, the last on top. */
  private static Config files() {
    return files(System.getenv());
  }

  static Config files(Map<String, String> environment) {
    Config files = parsed(Node.NAME, environment);
    for (String profile : profiles(environment)) {
      files = parsed(profile, environment).withFallback(files);
    }
    return files;
  }

  /** The file in conf/ over the copy of it in the jar, so that a part of conf/ is enough. */
  private static Config parsed(String name, Map<String, String> environment) {
    Path file = file(name, environment);
    Config inJar =
        ConfigFactory.parseResourcesAnySyntax(
            name, ConfigParseOptions.defaults().setAllowMissing(file != null));
    return file == null ? inJar : ConfigFactory.parseFile(file.toFile()).withFallback(inJar);
  }

  private static @Nullable Path file(String name, Map<String, String> environment) {
    String directory = environment.getOrDefault(CONF, "").trim();
    Path file = Path.of(directory, name + ".conf");
    return !directory.isEmpty() && Files.isReadable(file) ? file : null;
  }

  static List<String> profiles(Map<String, String> environment) {
    List<String> profiles = new ArrayList<>();
    for (String name : environment.getOrDefault(PROFILES, "").split(",", -1)) {
      String profile = name.trim().replaceAll("\\.conf$", "");
      if (profile.isEmpty()) {
        continue;
      }
      if (!profile.matches("[a-z0-9-]+")
          || (file(profile, environment) == null
              && Preflight.class.getResource("/" + profile + ".conf") == null)) {
        throw new StartFailure(
            StartFailure.CONFIG,
            PROFILES
                + " names '"
                + profile
                + "', and there is no file "
                + profile
                + ".conf in conf/. Name files of conf/, with a comma between two.");
      }
      profiles.add(profile);
    }
    return List.copyOf(profiles);
  }

  static StartFailure broken(ConfigException e) {
    String message = String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " ");
    return new StartFailure(
        StartFailure.CONFIG, "The configuration in conf/ is broken: " + message);
  }

  /** Looks before the long part of the start, so that the answer comes at once. */
  static void checkAddress(Config config, String portKey, String variable) {
    String host = config.getString("rowhouse.http.host");
    int port = port(config, portKey, variable);
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new StartFailure(
          StartFailure.ADDRESS,
          "Cannot listen on "
              + host
              + ":"
              + port
              + ": "
              + e.getMessage()
              + ". Stop what uses it, or set "
              + variable
              + " to another port.");
    }
  }

  private static int port(Config config, String portKey, String variable) {
    String text = config.getString("rowhouse.http." + portKey).trim();
    if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > 65_535) {
      throw new StartFailure(
          StartFailure.CONFIG,
          "rowhouse.http."
              + portKey
              + " ("
              + variable
              + ") is '"
              + text
              + "', which is no port. Set a number from 1 to 65535.");
    }
    return Integer.parseInt(text);
  }

  static @Nullable StartFailure addressFailure(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException
          || cause.getClass().getSimpleName().equals("RemoteTransportException")) {
        return new StartFailure(
            StartFailure.ADDRESS,
            "Cannot listen: " + cause.getMessage() + ". Another program uses that port.");
      }
    }
    return null;
  }
}
