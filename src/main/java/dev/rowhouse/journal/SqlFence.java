package dev.rowhouse.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** The Fence in an SQL database: the unique key of its table makes a claim exclusive. */
final class SqlFence implements Fence {
  /** Each lost race means that somebody else won it; so many in a row are no race but a fault. */
  static final int CLAIM_TRIES_MAX = 64;

  private static final String INTEGRITY_VIOLATION = "23";

  private final Database database;
  private final InstantSource clock;

  private SqlFence(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Opens the Fence, and makes its table where there is none. */
  static SqlFence open(Database database, InstantSource clock) {
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
    return new SqlFence(database, clock);
  }

  @Override
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

  @Override
  public long latest(String name) {
    try (Connection connection = database.connection()) {
      return latest(connection, name);
    } catch (SQLException e) {
      throw new JournalException("cannot read the latest number of " + name, e);
    }
  }

  @Override
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

  @Override
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
      statement.setString(2, Fence.behind(prefix));
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

  @Override
  public long countNames(String prefix) {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select count(distinct name) from rowhouse_fence where name > ? and name < ?")) {
      statement.setString(1, prefix);
      statement.setString(2, Fence.behind(prefix));
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getLong(1) : 0;
      }
    } catch (SQLException e) {
      throw new JournalException("cannot count the names that begin with " + prefix, e);
    }
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
      statement.setString(4, Fence.cut(who));
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
