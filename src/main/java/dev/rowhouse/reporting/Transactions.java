package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** Runs work on a connection, in one transaction, where it may block. */
final class Transactions {
  /** What is done with the connection. */
  @FunctionalInterface
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private final Database database;
  private final Executor blocking;

  Transactions(Database database, Executor blocking) {
    this.database = database;
    this.blocking = blocking;
  }

  <T> CompletionStage<T> run(String what, Work<T> work) {
    return CompletableFuture.supplyAsync(() -> now(what, work), blocking);
  }

  private <T> T now(String what, Work<T> work) {
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
