package dev.rowhouse.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
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

  /** A driver holds a batch whole; what one group of events brings is far less and goes at once. */
  static final int BATCH_ROWS_MAX = 10_000;

  private final Connection connection;

  private Sql(Connection connection) {
    this.connection = connection;
  }

  /** Reads a row. */
  @FunctionalInterface
  public interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** Takes a row in. */
  @FunctionalInterface
  public interface Visit {
    void row(ResultSet row) throws SQLException;
  }

  /** Reads rows from before the first on, as many as it needs. */
  @FunctionalInterface
  public interface Rows<T> {
    T read(ResultSet rows) throws SQLException;
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
   * Statements in a transaction of somebody else's, who opened the connection and will end both: a
   * projection moves its place in the journal in the transaction that writes the rows.
   */
  public static Sql on(Connection connection) {
    return new Sql(connection);
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

  /** Shows all rows one after another, for who adds them up and needs no list of them. */
  public void each(String sql, Visit visit, @Nullable Object... arguments) throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments);
        ResultSet results = statement.executeQuery()) {
      while (results.next()) {
        visit.row(results);
      }
    }
  }

  /**
   * What is made of rows that may be many, and need not all be read.
   *
   * @param timeout after that, in whole seconds, the database ends the statement
   */
  public <T> T read(String sql, Duration timeout, Rows<T> rows, @Nullable Object... arguments)
      throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments)) {
      statement.setQueryTimeout((int) Math.max(1, timeout.toSeconds()));
      try (ResultSet results = statement.executeQuery()) {
        return rows.read(results);
      } finally {
        // H2 keeps it for the connection, whoever has that next.
        statement.setQueryTimeout(0);
      }
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

  /**
   * The same statement for each of these rows of arguments, sent in batches; nothing is sent for
   * none.
   *
   * @return how many rows each changed
   */
  public int[] updateAll(String sql, List<@Nullable Object[]> rows) throws SQLException {
    int[] changed = new int[rows.size()];
    if (rows.isEmpty()) {
      return changed;
    }
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int from = 0; from < rows.size(); from += BATCH_ROWS_MAX) {
        int to = Math.min(rows.size(), from + BATCH_ROWS_MAX);
        for (@Nullable Object[] row : rows.subList(from, to)) {
          bind(statement, row);
          statement.addBatch();
        }
        System.arraycopy(statement.executeBatch(), 0, changed, from, to - from);
      }
    }
    return changed;
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
    bind(statement, arguments);
    return statement;
  }

  private static void bind(PreparedStatement statement, @Nullable Object... arguments)
      throws SQLException {
    for (int i = 0; i < arguments.length; i++) {
      statement.setObject(i + 1, arguments[i]);
    }
  }
}
