package dev.rowhouse.journal;

import com.datastax.oss.driver.api.core.cql.Row;
import com.typesafe.config.Config;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keyspace and the tables on Cassandra: a script for each room, in resources {@code
 * cassandra/}.
 *
 * <p>No node makes them when it starts. Two nodes that make one table at the same time can leave
 * Cassandra with two versions of it, so it is done once, by {@code rowhouse schema}.
 */
public final class CqlSchema {
  /** A script of each room that keeps something durable; "events" is the event journal's. */
  private static final List<String> ROOMS =
      List.of("events", "journal", "tenant", "usage", "serving", "audit", "reporting", "retrieval");

  private static final Pattern NAME =
      Pattern.compile("create (table|index|custom index) if not exists (\\w+).*", Pattern.DOTALL);

  private CqlSchema() {}

  /** The statement that makes the keyspace, as {@code rowhouse.journal.cassandra} says. */
  public static String keyspace(Config config) {
    Config replication = config.getConfig("rowhouse.journal.cassandra.replication");
    return "create keyspace if not exists %s with replication = {'class': '%s', 'replication_factor': %d}"
        .formatted(
            Cassandra.keyspace(config),
            replication.getString("class"),
            replication.getInt("factor"));
  }

  /** The statements that make tables and indexes, in order. */
  public static List<String> tables() {
    return tables(ROOMS);
  }

  private static List<String> tables(List<String> rooms) {
    List<String> statements = new ArrayList<>();
    for (String room : rooms) {
      for (String statement : script(room).replaceAll("(?m)--.*$", "").split(";", -1)) {
        if (!statement.isBlank()) {
          statements.add(statement.strip());
        }
      }
    }
    return List.copyOf(statements);
  }

  /** Makes what is not there yet. */
  public static List<String> create(Config config) {
    return create(config, ROOMS);
  }

  /** Makes what those rooms need. */
  static List<String> create(Config config, List<String> rooms) {
    List<String> made = new ArrayList<>();
    try (Cassandra outside = Cassandra.openOutside(config)) {
      if (!exists(outside)) {
        requireNodes(config, outside);
        outside.executeOnce(keyspace(config));
        made.add("keyspace " + outside.keyspace());
      }
    }
    try (Cassandra cassandra = Cassandra.openForTables(config)) {
      Set<String> there = names(cassandra);
      for (String statement : tables(rooms)) {
        String name = name(statement);
        if (name == null || !there.contains(name)) {
          cassandra.executeOnce(statement);
          made.add(kind(statement) + " " + name);
        }
      }
    }
    return List.copyOf(made);
  }

  /** A keyspace with more copies than nodes takes no write at a quorum. */
  private static void requireNodes(Config config, Cassandra outside) {
    int factor = config.getInt("rowhouse.journal.cassandra.replication.factor");
    int nodes = outside.session().getMetadata().getNodes().size();
    if (nodes < factor) {
      throw new JournalException(
          "rowhouse.journal.cassandra.replication.factor is %d and this Cassandra has %d node%s: set"
                  .formatted(factor, nodes, nodes == 1 ? "" : "s")
              + " ROWHOUSE_CASSANDRA_REPLICATION to what it has, or add nodes",
          null);
    }
  }

  /** The tables and indexes that a node needs and that are not there. */
  public static List<String> missing(Cassandra cassandra) {
    Set<String> there = names(cassandra);
    List<String> missing = new ArrayList<>();
    for (String statement : tables()) {
      String name = name(statement);
      if (name != null && !there.contains(name)) {
        missing.add(name);
      }
    }
    return List.copyOf(missing);
  }

  /** Whether the keyspace is there. */
  public static boolean hasKeyspace(Config config) {
    try (Cassandra outside = Cassandra.openOutside(config)) {
      return exists(outside);
    }
  }

  private static boolean exists(Cassandra cassandra) {
    return cassandra.one(
            "select keyspace_name from system_schema.keyspaces where keyspace_name = ?",
            cassandra.keyspace())
        != null;
  }

  private static Set<String> names(Cassandra cassandra) {
    Set<String> names = new HashSet<>();
    String keyspace = cassandra.keyspace();
    for (Row row :
        cassandra.all(
            "select table_name from system_schema.tables where keyspace_name = ?", keyspace)) {
      names.add(String.valueOf(row.getString(0)));
    }
    for (Row row :
        cassandra.all(
            "select index_name from system_schema.indexes where keyspace_name = ?", keyspace)) {
      names.add(String.valueOf(row.getString(0)));
    }
    return names;
  }

  private static @Nullable String name(String statement) {
    Matcher matcher = NAME.matcher(statement.toLowerCase(Locale.ROOT));
    return matcher.matches() ? matcher.group(2) : null;
  }

  private static String kind(String statement) {
    Matcher matcher = NAME.matcher(statement.toLowerCase(Locale.ROOT));
    return matcher.matches() ? matcher.group(1) : "object";
  }

  private static String script(String room) {
    String name = "/cassandra/" + room + ".cql";
    try (InputStream in = CqlSchema.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
