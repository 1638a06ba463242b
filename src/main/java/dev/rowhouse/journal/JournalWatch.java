package dev.rowhouse.journal;

import com.datastax.oss.driver.api.core.cql.Row;
import com.typesafe.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this node's journal takes writes, found out by a small write of the node's own every now
 * and then. What asks for it is answered at once, from any thread, so that admission closes before
 * the first tenant has anything to lose, and opens again by itself.
 *
 * <p>The journal is away when the last write failed, when one has had no answer for too long, or
 * when it is a file of this process and its disk is nearly full: the rest is for what is in flight.
 * A journal elsewhere needs no room here. A watch that was not run at all, in a paused process,
 * says nothing.
 */
public final class JournalWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JournalWatch.class);
  private static final int NODE_LENGTH_MAX = 200;
  private static final long NOT_WRITING = Long.MIN_VALUE;

  /** A small durable write. */
  interface Write {
    void run() throws SQLException;
  }

  private final Write write;
  private final Duration answerWithin;
  private final LongSupplier monotonicMillis;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile long writingSinceMillis = NOT_WRITING;
  private volatile @Nullable String failure;

  JournalWatch(Write write, Duration answerWithin, LongSupplier monotonicMillis) {
    this.write = write;
    this.answerWithin = answerWithin;
    this.monotonicMillis = monotonicMillis;
  }

  /** Begins to watch, as {@code rowhouse.journal.watch} says. */
  public static JournalWatch start(Storage storage, String node, Config root) {
    Config config = root.getConfig("rowhouse.journal.watch");
    String name = node.substring(0, Math.min(node.length(), NODE_LENGTH_MAX));
    JournalWatch watch =
        new JournalWatch(
            probe(storage, name, config.getBytes("disk-free-min")),
            config.getDuration("answer-within"),
            () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    Duration every = config.getDuration("every");
    Thread.ofPlatform().daemon().name("journal-watch").start(() -> watch.probeEach(every));
    return watch;
  }

  /** The write of a node, with the room that the storage needs on this machine, if any. */
  static Write probe(Storage storage, String node, long diskFreeMinBytes) {
    Write beat = heartbeat(storage, node);
    Path directory = storage.localDirectory();
    return directory == null
        ? beat
        : () -> {
          requireSpace(directory, diskFreeMinBytes);
          beat.run();
        };
  }

  private static Write heartbeat(Storage storage, String node) {
    return switch (storage) {
      case Database database -> {
        makeTable(database);
        yield () -> beat(database, node);
      }
      case Cassandra cassandra ->
          () ->
              cassandra.execute(
                  "insert into rowhouse_heartbeat (node, beat_at) values (?, toTimestamp(now()))",
                  node);
    };
  }

  private static void makeTable(Database database) {
    Sql.make(
        database,
        "the table of the journal's watch",
        """
        create table if not exists rowhouse_heartbeat (
          node varchar(%d) primary key,
          beats bigint not null)
        """
            .formatted(NODE_LENGTH_MAX));
  }

  /** A database whose file cannot grow does not fail a write, it closes: better not to try. */
  private static void requireSpace(Path directory, long bytes) throws SQLException {
    try {
      long free = Files.getFileStore(directory).getUsableSpace();
      if (free < bytes) {
        throw new SQLException(
            "%d MiB are free on the disk of %s, and %d must be: make room"
                .formatted(free >> 20, directory, bytes >> 20));
      }
    } catch (IOException e) {
      throw new SQLException("the disk of " + directory + " does not say what is free", e);
    }
  }

  private static void beat(Database database, String node) throws SQLException {
    try (Connection connection = database.connection()) {
      if (execute(
              connection, "update rowhouse_heartbeat set beats = beats + 1 where node = ?", node)
          == 0) {
        execute(connection, "insert into rowhouse_heartbeat (node, beats) values (?, 1)", node);
      }
    }
  }

  /**
   * Whether another node than this one writes its beats: a cluster is alive, whether it is to be
   * reached from here or not.
   *
   * @param watched how long to look, when there are other nodes' beats at all
   */
  public static boolean othersBeat(Storage storage, String node, Duration watched) {
    try {
      Map<String, Long> before = beats(storage, node);
      if (before.isEmpty()) {
        return false;
      }
      Thread.sleep(watched);
      return !beats(storage, node).equals(before);
    } catch (SQLException | JournalException e) {
      // Nobody has made the table yet: this is the first node that ever was.
      LOG.debug("no beats are to be read", e);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** The other nodes' beats: what changes while a node lives. */
  private static Map<String, Long> beats(Storage storage, String node) throws SQLException {
    Map<String, Long> beats = new HashMap<>();
    switch (storage) {
      case Database database -> {
        try (Connection connection = database.connection();
            PreparedStatement statement =
                connection.prepareStatement("select node, beats from rowhouse_heartbeat");
            ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            beats.put(rows.getString(1), rows.getLong(2));
          }
        }
      }
      case Cassandra cassandra -> {
        for (Row row : cassandra.all("select node, beat_at from rowhouse_heartbeat")) {
          Instant beatAt = row.getInstant("beat_at");
          beats.put(
              String.valueOf(row.getString("node")), beatAt == null ? 0 : beatAt.toEpochMilli());
        }
      }
    }
    beats.remove(node);
    return beats;
  }

  private static int execute(Connection connection, String sql, String node) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, node);
      return statement.executeUpdate();
    }
  }

  private void probeEach(Duration every) {
    try {
      do {
        probe();
      } while (!closed.await(every.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Writes once. */
  void probe() {
    writingSinceMillis = monotonicMillis.getAsLong();
    try {
      write.run();
      if (failure != null) {
        LOG.info("the journal takes writes again");
      }
      failure = null;
    } catch (SQLException | RuntimeException e) {
      if (failure == null) {
        LOG.warn("the journal takes no writes: nothing new is admitted until it does", e);
      }
      failure = String.valueOf(e.getMessage());
    } finally {
      writingSinceMillis = NOT_WRITING;
    }
  }

  /** Whether the journal takes writes, as far as is known. */
  public boolean isAvailable() {
    long since = writingSinceMillis;
    boolean silent =
        since != NOT_WRITING && monotonicMillis.getAsLong() - since > answerWithin.toMillis();
    return failure == null && !silent;
  }

  /** An interrupt would do, and close the database's file if it came within a write. */
  @Override
  public void close() {
    closed.countDown();
  }
}
