package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import java.sql.Connection;
import java.sql.SQLException;

/** Runs work on a connection, in one transaction; it blocks. */
final class Transactions {
  /** What is done with the connection. */
  @FunctionalInterface
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private final Database database;

  Transactions(Database database) {
    this.database = database;
  }

  <T> T run(String what, Work<T> work) {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        T result = work.on(connection);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw new JournalException("cannot " + what, e);
    }
  }
}
