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
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
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

  /** More nodes than ever start in the same second. */
  private static final int TOGETHER_TRIES_MAX = 10;

  /** Tables are made in milliseconds; losers come again at different times. */
  private static final long TOGETHER_PAUSE_MILLIS_MAX = 300;

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
    if (!config.getString(Storage.KIND).equals("cassandra")) {
      try {
        return Storage.open(config);
      } catch (JournalException | HikariPool.PoolInitializationException e) {
        throw sqlFailure(config, e);
      }
    }
    return awaitCassandra(config);
  }

  private static void makeTables(Config config, Database database) {
    try {
      together(
          () -> {
            JournalSchema.create(database);
            DocumentStore.createSchema(database);
            return database;
          });
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
            + config.getString("rowhouse.journal.jdbc.url").replaceAll(";.*", "")
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

  /** Tries until Cassandra answers or the time of conf/ is over, with a line for each try. */
  static Cassandra awaitCassandra(Config config) {
    Config start = config.getConfig("rowhouse.journal.cassandra.start");
    Duration within = start.getDuration("within");
    Duration pause = start.getDuration("backoff-min");
    long untilNanos = System.nanoTime() + within.toNanos();
    while (true) {
      try {
        requireKeyspace(config);
        return Cassandra.open(config);
      } catch (JournalException e) {
        if (!isAway(e)) {
          throw new StartFailure(StartFailure.JOURNAL, line(e));
        }
        if (System.nanoTime() + pause.toNanos() > untilNanos) {
          throw new StartFailure(
              StartFailure.JOURNAL,
              line(e)
                  + ". It was tried for "
                  + within.toSeconds()
                  + " s. Start Cassandra, or set ROWHOUSE_CASSANDRA to where it is.");
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
    return e.getCause() instanceof UnknownHostException
        || (e.getCause() instanceof AllNodesFailedException failed
            && failed.getAllErrors().values().stream()
                .flatMap(List::stream)
                .noneMatch(AuthenticationException.class::isInstance));
  }

  private static void pause(Duration pause) {
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartFailure(StartFailure.JOURNAL, "interrupted while it waited for Cassandra");
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

  /**
   * Opens what makes its tables when they are not there. Nodes that start together do so together,
   * and "if not exists" does not hold against another session in the same moment: who loses finds
   * the tables there at the next try.
   */
  static <T> T together(Supplier<T> opening) {
    for (int tries = 1; ; tries++) {
      try {
        return opening.get();
      } catch (RuntimeException e) {
        if (tries == TOGETHER_TRIES_MAX || !isOfTheDatabase(e)) {
          throw e;
        }
        pause(Duration.ofMillis(ThreadLocalRandom.current().nextLong(TOGETHER_PAUSE_MILLIS_MAX)));
      }
    }
  }

  private static boolean isOfTheDatabase(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException
          || (cause instanceof StartFailure told && told.exitCode() == StartFailure.JOURNAL)) {
        return true;
      }
    }
    return false;
  }
}
