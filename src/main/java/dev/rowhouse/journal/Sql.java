package dev.rowhouse.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Statements to an SQL database, together in one transaction or each for itself; every failure of
 * the database is a {@link JournalException}. Calls block.
 */
public final class Sql {
  private static final String UNIQUE_VIOLATION = "23505";

  /** The class of it and its like: some databases name no constraint. */
  private static final String INTEGRITY_VIOLATION = "23";

  /** More nodes than ever start in the same second. */
  private static final int MAKE_TRIES_MAX = 10;

  /** A table is made in milliseconds; losers come again at different times. */
  private static final long MAKE_PAUSE_MILLIS_MAX = 300;

  private final Connection connection;

  private Sql(Connection connection) {
    this.connection = connection;
  }

  /** Reads a row. */
  @FunctionalInterface
  public interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** What is done with statements. */
  @FunctionalInterface
  public interface Work<T extends @Nullable Object> {
    T run(Sql sql) throws SQLException;
  }

  /** Another transaction inserted the same key first. */
  public static final class Duplicate extends RuntimeException {
    Duplicate(Throwable cause) {
      super("the key exists", cause);
    }
  }

  /** Statements that count together or not at all. */
  public static <T extends @Nullable Object> T transaction(Database database, Work<T> work) {
    try {
      return together(database, work);
    } catch (SQLException e) {
      if (UNIQUE_VIOLATION.equals(e.getSQLState())) {
        throw new Duplicate(e);
      }
      throw new JournalException("the database failed: " + e.getMessage(), e);
    }
  }

  /**
   * Statements that count together or not at all.
   *
   * @param failure what could not be done when the database fails
   */
  public static <T extends @Nullable Object> T transaction(
      Database database, String failure, Work<T> work) {
    try {
      return together(database, work);
    } catch (SQLException e) {
      throw new JournalException(failure, e);
    }
  }

  private static <T extends @Nullable Object> T together(Database database, Work<T> work)
      throws SQLException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        T result = work.run(new Sql(connection));
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  /**
   * Statements that count each for itself.
   *
   * @param failure what could not be done when the database fails
   */
  public static <T extends @Nullable Object> T apart(
      Database database, String failure, Work<T> work) {
    try (Connection connection = database.connection()) {
      return work.run(new Sql(connection));
    } catch (SQLException e) {
      throw new JournalException(failure, e);
    }
  }

  /**
   * Makes tables and indexes where they are missing; may run at every start. Nodes that start
   * together do so together, and "if not exists" does not hold against another session in the same
   * moment: who loses finds it there at the next try.
   *
   * @param what they are
   */
  public static void make(Database database, String what, List<String> statements) {
    apart(
        database,
        "cannot make " + what,
        sql -> {
          for (String statement : statements) {
            sql.make(statement);
          }
          return statements.size();
        });
  }

  /** As {@link #make(Database, String, List)}. */
  public static void make(Database database, String what, String... statements) {
    make(database, what, List.of(statements));
  }

  private void make(String statement) throws SQLException {
    for (int tries = 1; ; tries++) {
      try {
        update(statement);
        return;
      } catch (SQLException e) {
        if (tries == MAKE_TRIES_MAX) {
          throw e;
        }
        pause(ThreadLocalRandom.current().nextLong(MAKE_PAUSE_MILLIS_MAX));
      }
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JournalException("interrupted while tables were made", e);
    }
  }

  public <T> List<T> query(String sql, Row<T> row, @Nullable Object... arguments)
      throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments);
        ResultSet results = statement.executeQuery()) {
      List<T> rows = new ArrayList<>();
      while (results.next()) {
        rows.add(row.read(results));
      }
      return rows;
    }
  }

  /** The first row; null when there is none. */
  public <T> @Nullable T first(String sql, Row<T> row, @Nullable Object... arguments)
      throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments);
        ResultSet results = statement.executeQuery()) {
      return results.next() ? row.read(results) : null;
    }
  }

  /** A count or sum, which always has a row; a sum of nothing is 0. */
  public long number(String sql, @Nullable Object... arguments) throws SQLException {
    Long number = first(sql, row -> row.getLong(1), arguments);
    return number == null ? 0 : number;
  }

  public int update(String sql, @Nullable Object... arguments) throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments)) {
      return statement.executeUpdate();
    }
  }

  /** Adds a row; false when its key is there. In a transaction, which that may end, do not. */
  public boolean insert(String sql, @Nullable Object... arguments) throws SQLException {
    try {
      return update(sql, arguments) == 1;
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state != null && state.startsWith(INTEGRITY_VIOLATION)) {
        return false;
      }
      throw e;
    }
  }

  /** The name of the database's make, in small letters. */
  String product() throws SQLException {
    return connection.getMetaData().getDatabaseProductName().toLowerCase(Locale.ROOT);
  }

  private PreparedStatement prepare(String sql, @Nullable Object... arguments) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < arguments.length; i++) {
      statement.setObject(i + 1, arguments[i]);
    }
    return statement;
  }
}
