package dev.rowhouse;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.typesafe.config.Config;
import com.zaxxer.hikari.pool.HikariPool;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CqlSchema;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.JournalSchema;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.retrieval.DocumentStore;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens where everything durable is, or says in one line why a node must not start.
 *
 * <p>An SQL database gets its tables here. On Cassandra they are made by {@code rowhouse schema},
 * because two nodes must not make one table at the same time. A Cassandra that does not answer may
 * be starting too, so it is waited for, some time.
 */
final class StorageStart {
  private static final Logger LOG = LoggerFactory.getLogger(StorageStart.class);

  /** As many as a line has room for. */
  private static final int NAMES_MAX = 5;

  private static final String CASSANDRA_HINT =
      "Start Cassandra, or set ROWHOUSE_CASSANDRA to where it is.";

  private static final String SQL_HINT =
      "Start the database, or set ROWHOUSE_POSTGRESQL to where it is.";

  private StorageStart() {}

  static Storage open(Config config) {
    Storage storage = opened(config);
    switch (storage) {
      case Database database -> makeTables(config, database);
      case Cassandra cassandra -> requireTables(cassandra);
    }
    return storage;
  }

  private static Storage opened(Config config) {
    return config.getString(Storage.KIND).equals("cassandra")
        ? awaitCassandra(config)
        : await(config.getConfig("rowhouse.journal.jdbc.start"), SQL_HINT, () -> openedSql(config));
  }

  private static Storage openedSql(Config config) throws Away {
    try {
      return Storage.open(config);
    } catch (JournalException | HikariPool.PoolInitializationException e) {
      StartFailure failure = sqlFailure(config, e);
      if (isSqlAway(e)) {
        throw new Away(String.valueOf(failure.getMessage()));
      }
      throw failure;
    }
  }

  /** No connection, or one to a server that is still starting. */
  private static boolean isSqlAway(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState().startsWith("08") || sql.getSQLState().equals("57P03");
      }
    }
    return false;
  }

  private static void makeTables(Config config, Database database) {
    try {
      JournalSchema.create(database);
      DocumentStore.createSchema(database);
    } catch (JournalException e) {
      database.close();
      throw sqlFailure(config, e);
    }
  }

  private static StartFailure sqlFailure(Config config, RuntimeException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new StartFailure(
        StartFailure.JOURNAL,
        "The journal's database "
            + config.getString("rowhouse.journal.jdbc.url").replaceAll("[;?].*", "")
            + " cannot be opened: "
            + line(cause));
  }

  private static void requireTables(Cassandra cassandra) {
    try {
      requireTables(cassandra.keyspace(), CqlSchema.missing(cassandra));
    } catch (JournalException e) {
      cassandra.close();
      throw new StartFailure(StartFailure.JOURNAL, line(e));
    } catch (StartFailure e) {
      cassandra.close();
      throw e;
    }
  }

  private static void requireTables(String keyspace, List<String> missing) {
    if (!missing.isEmpty()) {
      throw new StartFailure(
          StartFailure.JOURNAL,
          "Keyspace %s on Cassandra lacks %s%s. Run 'rowhouse schema' once, with the same conf/."
              .formatted(
                  keyspace,
                  String.join(", ", missing.subList(0, Math.min(NAMES_MAX, missing.size()))),
                  missing.size() > NAMES_MAX
                      ? " and " + (missing.size() - NAMES_MAX) + " other tables"
                      : ""));
    }
  }

  /** Tries until Cassandra answers or the time of conf/ is over. */
  static Cassandra awaitCassandra(Config config) {
    return await(
        config.getConfig("rowhouse.journal.cassandra.start"),
        CASSANDRA_HINT,
        () -> openedCassandra(config));
  }

  private static Cassandra openedCassandra(Config config) throws Away {
    try {
      requireKeyspace(config);
      return Cassandra.open(config);
    } catch (JournalException e) {
      if (isAway(e)) {
        throw new Away(line(e));
      }
      throw new StartFailure(StartFailure.JOURNAL, line(e));
    }
  }

  /** What does not answer yet, and may be starting. */
  private static final class Away extends Exception {
    Away(String line) {
      super(line);
    }
  }

  private interface Opening<T> {
    T open() throws Away;
  }

  /** Tries until it opens or the time of conf/ is over, with a line for each try. */
  private static <T> T await(Config start, String hint, Opening<T> opening) {
    Duration within = start.getDuration("within");
    Duration pause = start.getDuration("backoff-min");
    long untilNanos = System.nanoTime() + within.toNanos();
    while (true) {
      try {
        return opening.open();
      } catch (Away e) {
        if (System.nanoTime() + pause.toNanos() > untilNanos) {
          throw new StartFailure(
              StartFailure.JOURNAL,
              within.isZero()
                  ? line(e)
                  : line(e).replaceAll("\\.$", "")
                      + ". It was tried for "
                      + within.toSeconds()
                      + " s. "
                      + hint);
        }
        LOG.warn("{}; it is tried again in {} ms", line(e), pause.toMillis());
        pause(pause);
        Duration twice = pause.multipliedBy(2);
        Duration max = start.getDuration("backoff-max");
        pause = twice.compareTo(max) > 0 ? max : twice;
      }
    }
  }

  private static void requireKeyspace(Config config) {
    if (!CqlSchema.hasKeyspace(config)) {
      throw new StartFailure(
          StartFailure.JOURNAL,
          "There is no keyspace "
              + config.getString("rowhouse.journal.cassandra.keyspace")
              + " on Cassandra at "
              + config.getStringList("datastax-java-driver.basic.contact-points")
              + ". Run 'rowhouse schema' once, with the same conf/, or set"
              + " ROWHOUSE_CASSANDRA_KEYSPACE.");
    }
  }

  /** A wrong password or keyspace gets no better by waiting. */
  private static boolean isAway(JournalException e) {
    // A name may come later, as where an orchestrator gives it to a server that has started.
    return switch (e.getCause()) {
      case UnknownHostException _ -> true;
      case AllNodesFailedException failed ->
          failed.getAllErrors().values().stream()
              .flatMap(List::stream)
              .noneMatch(AuthenticationException.class::isInstance);
      case null, default -> false;
    };
  }

  private static void pause(Duration pause) {
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.JOURNAL, "interrupted while it waited for the database");
    }
  }

  private static String line(Throwable failure) {
    return String.valueOf(failure.getMessage()).replaceAll("\\s*\\R\\s*", " ");
  }

  /** What went wrong and why, for one line. */
  static String oneLine(Throwable failure) {
    Throwable cause = failure.getCause();
    String text = failure.getMessage() + (cause == null ? "" : ": " + cause.getMessage());
    return text.replaceAll("\\s*\\R\\s*", " ");
  }
}
