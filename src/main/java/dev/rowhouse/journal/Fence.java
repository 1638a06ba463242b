package dev.rowhouse.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The place that hands out numbers of which no two are the same: fencing tokens, as in Kleppmann's
 * "How to do distributed locking".
 *
 * <p>A journal cannot stop two writers of one persistence id: after a long pause, or when a write
 * that had timed out lands after all, both rows stay, and recovery fails or drops one of them. So
 * who is about to write claims a number first and writes where no other number does: a coordinator
 * its epoch, a ledger its segment. Who must not write beside another (a tenant's record) checks
 * that its number is still the latest before each write.
 *
 * <p>The numbers of a name start at 1 and have no gaps. The unique key of the table makes a claim
 * exclusive, whatever clocks and leases say. Calls block; the variants that take an executor are
 * for {@code rowhouse.blocking-dispatcher}.
 */
public final class Fence {
  public static final int NAME_LENGTH_MAX = 200;
  public static final int CLAIMED_BY_LENGTH_MAX = 200;

  /** Each lost race means that somebody else won it; so many in a row are no race but a fault. */
  static final int CLAIM_TRIES_MAX = 64;

  private static final String INTEGRITY_VIOLATION = "23";

  private final Database database;
  private final InstantSource clock;

  private Fence(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Opens the Fence, and makes its table where there is none. */
  public static Fence open(Database database, InstantSource clock) {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table if not exists rowhouse_fence (
            name varchar(%d) not null,
            number bigint not null,
            claimed_at timestamp with time zone not null,
            claimed_by varchar(%d) not null,
            primary key (name, number))
          """
              .formatted(NAME_LENGTH_MAX, CLAIMED_BY_LENGTH_MAX));
    } catch (SQLException e) {
      throw new JournalException("cannot make the table of the Fence", e);
    }
    return new Fence(database, clock);
  }

  /** A number that somebody took. */
  public record Claim(long number, Instant claimedAt, String claimedBy) {}

  /**
   * Takes the next number of that name.
   *
   * @param who who takes it, for the people who read the table; cut to its length
   */
  public long claim(String name, String who) {
    try (Connection connection = database.connection()) {
      for (int tries = 0; tries < CLAIM_TRIES_MAX; tries++) {
        long next = latest(connection, name) + 1;
        if (insert(connection, name, next, who)) {
          return next;
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot claim a number of " + name, e);
    }
    throw new JournalException(
        "no number of " + name + " could be claimed in " + CLAIM_TRIES_MAX + " tries", null);
  }

  /** The latest number of that name; 0 when none was ever claimed. */
  public long latest(String name) {
    try (Connection connection = database.connection()) {
      return latest(connection, name);
    } catch (SQLException e) {
      throw new JournalException("cannot read the latest number of " + name, e);
    }
  }

  /** Whether that number is still the latest, so that its owner may still write. */
  public boolean check(String name, long number) {
    return latest(name) == number;
  }

  /** All numbers of that name, in order. */
  public List<Long> numbers(String name) {
    return claims(name).stream().map(Claim::number).toList();
  }

  /** All claims of that name, in the order of their numbers. */
  public List<Claim> claims(String name) {
    List<Claim> claims = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select number, claimed_at, claimed_by from rowhouse_fence"
                    + " where name = ? order by number")) {
      statement.setString(1, name);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          claims.add(
              new Claim(rows.getLong(1), rows.getTimestamp(2).toInstant(), rows.getString(3)));
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the claims of " + name, e);
    }
    return List.copyOf(claims);
  }

  /**
   * Names that begin so and of which a number was claimed, in order.
   *
   * @param after only those after this name; the prefix itself: from the first on
   */
  public List<String> names(String prefix, String after, int limit) {
    List<String> names = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select distinct name from rowhouse_fence where name > ? and name < ?"
                    + " order by name fetch first "
                    + limit
                    + " rows only")) {
      statement.setString(1, after);
      statement.setString(2, behind(prefix));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          names.add(rows.getString(1));
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the names that begin with " + prefix, e);
    }
    return List.copyOf(names);
  }

  /** How many names begin so. */
  public long countNames(String prefix) {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select count(distinct name) from rowhouse_fence where name > ? and name < ?")) {
      statement.setString(1, prefix);
      statement.setString(2, behind(prefix));
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getLong(1) : 0;
      }
    } catch (SQLException e) {
      throw new JournalException("cannot count the names that begin with " + prefix, e);
    }
  }

  /** The first text after all that begin so. */
  private static String behind(String prefix) {
    int last = prefix.length() - 1;
    return prefix.substring(0, last) + (char) (prefix.charAt(last) + 1);
  }

  public CompletionStage<Long> claim(String name, String who, Executor executor) {
    return CompletableFuture.supplyAsync(() -> claim(name, who), executor);
  }

  public CompletionStage<Boolean> check(String name, long number, Executor executor) {
    return CompletableFuture.supplyAsync(() -> check(name, number), executor);
  }

  public CompletionStage<Long> latest(String name, Executor executor) {
    return CompletableFuture.supplyAsync(() -> latest(name), executor);
  }

  public CompletionStage<List<Claim>> claims(String name, Executor executor) {
    return CompletableFuture.supplyAsync(() -> claims(name), executor);
  }

  /** What went wrong, without the wrapper that a stage puts around it. */
  public static Throwable cause(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
    return cause == null ? failure : cause;
  }

  private boolean insert(Connection connection, String name, long number, String who)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "insert into rowhouse_fence (name, number, claimed_at, claimed_by)"
                + " values (?, ?, ?, ?)")) {
      statement.setString(1, name);
      statement.setLong(2, number);
      statement.setTimestamp(3, Timestamp.from(clock.instant()));
      statement.setString(
          4, who.length() > CLAIMED_BY_LENGTH_MAX ? who.substring(0, CLAIMED_BY_LENGTH_MAX) : who);
      statement.executeUpdate();
      return true;
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state != null && state.startsWith(INTEGRITY_VIOLATION)) {
        return false;
      }
      throw e;
    }
  }

  private static long latest(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select max(number) from rowhouse_fence where name = ?")) {
      statement.setString(1, name);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getLong(1) : 0;
      }
    }
  }
}
