package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements in one transaction; every failure of the database is a {@link StorageFailure}. */
final class Sql {
  private static final String UNIQUE_VIOLATION = "23505";
  private final Connection connection;

  private Sql(Connection connection) {
    this.connection = connection;
  }

  /** Reads a row. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** Statements that count together or not at all. */
  @FunctionalInterface
  interface Work<T extends @Nullable Object> {
    T run(Sql sql) throws SQLException;
  }

  /** Another transaction inserted the same key first. */
  static final class Duplicate extends RuntimeException {
    Duplicate(Throwable cause) {
      super("the key exists", cause);
    }
  }

  static <T extends @Nullable Object> T transaction(Database database, Work<T> work) {
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
    } catch (SQLException e) {
      if (UNIQUE_VIOLATION.equals(e.getSQLState())) {
        throw new Duplicate(e);
      }
      throw new StorageFailure("the database failed: " + e.getMessage(), e);
    }
  }

  <T> List<T> query(String sql, Row<T> row, @Nullable Object... arguments) throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments);
        ResultSet results = statement.executeQuery()) {
      List<T> rows = new ArrayList<>();
      while (results.next()) {
        rows.add(row.read(results));
      }
      return rows;
    }
  }

  <T> @Nullable T first(String sql, Row<T> row, @Nullable Object... arguments) throws SQLException {
    List<T> rows = query(sql, row, arguments);
    return rows.isEmpty() ? null : rows.getFirst();
  }

  /** A count or sum, which always has a row; a sum of nothing is 0. */
  long number(String sql, @Nullable Object... arguments) throws SQLException {
    Long number = first(sql, row -> row.getLong(1), arguments);
    return number == null ? 0 : number;
  }

  int update(String sql, @Nullable Object... arguments) throws SQLException {
    try (PreparedStatement statement = prepare(sql, arguments)) {
      return statement.executeUpdate();
    }
  }

  private PreparedStatement prepare(String sql, @Nullable Object... arguments) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < arguments.length; i++) {
      statement.setObject(i + 1, arguments[i]);
    }
    return statement;
  }
}
