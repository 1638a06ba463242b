package dev.rowhouse.serving;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.tenant.TenantId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Idempotency keys in an SQL database. */
final class SqlIdempotencyTable implements IdempotencyTable {
  private static final String INTEGRITY_VIOLATION = "23";

  private final Database database;

  SqlIdempotencyTable(Database database) {
    this.database = database;
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_idempotency (
            tenant VARCHAR(63) NOT NULL, key_hash VARCHAR(64) NOT NULL,
            request_hash VARCHAR(64) NOT NULL, attempt VARCHAR(64) NOT NULL,
            owner VARCHAR(200) NOT NULL, state VARCHAR(8) NOT NULL, http_status INTEGER NOT NULL,
            answer BYTEA, answer_bytes BIGINT NOT NULL, claimed_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL, PRIMARY KEY (tenant, key_hash))
          """);
      statement.execute(
          "CREATE INDEX IF NOT EXISTS rowhouse_idempotency_by_end"
              + " ON rowhouse_idempotency (expires_at)");
      statement.execute(
          "CREATE INDEX IF NOT EXISTS rowhouse_idempotency_use"
              + " ON rowhouse_idempotency (tenant, expires_at, answer_bytes)");
    } catch (SQLException e) {
      throw new JournalException("cannot make the table of idempotency keys", e);
    }
  }

  @Override
  public @Nullable Entry claim(
      Key key,
      String attempt,
      String owner,
      long nowMillis,
      long expiresAtMillis,
      Predicate<Entry> lives) {
    try (Connection connection = database.connection()) {
      Entry there = null;
      for (int tries = 0; tries < TRIES_MAX; tries++) {
        there = read(connection, key);
        if (there == null) {
          if (insert(connection, key, attempt, owner, nowMillis, expiresAtMillis)) {
            return null;
          }
          continue;
        }
        boolean over = there.expiresAtMillis() <= nowMillis;
        if (!over && (there.state() != State.RUNNING || lives.test(there))) {
          return there;
        }
        delete(connection, key.tenant(), key.keyHash(), there.attempt());
      }
      return there;
    } catch (SQLException e) {
      throw new JournalException("cannot claim an idempotency key", e);
    }
  }

  private static @Nullable Entry read(Connection connection, Key key) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT request_hash, attempt, owner, state, http_status, answer, claimed_at,"
                + " expires_at FROM rowhouse_idempotency WHERE tenant = ? AND key_hash = ?")) {
      select.setString(1, key.tenant().value());
      select.setString(2, key.keyHash());
      try (ResultSet row = select.executeQuery()) {
        return row.next()
            ? new Entry(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                State.valueOf(row.getString(4)),
                row.getInt(5),
                row.getBytes(6),
                row.getLong(7),
                row.getLong(8))
            : null;
      }
    }
  }

  private static boolean insert(
      Connection connection,
      Key key,
      String attempt,
      String owner,
      long nowMillis,
      long expiresAtMillis)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO rowhouse_idempotency (tenant, key_hash, request_hash, attempt, owner,"
                + " state, http_status, answer_bytes, claimed_at, expires_at)"
                + " VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?)")) {
      insert.setString(1, key.tenant().value());
      insert.setString(2, key.keyHash());
      insert.setString(3, key.requestHash());
      insert.setString(4, attempt);
      insert.setString(5, owner);
      insert.setString(6, State.RUNNING.name());
      insert.setLong(7, nowMillis);
      insert.setLong(8, expiresAtMillis);
      insert.executeUpdate();
      return true;
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state != null && state.startsWith(INTEGRITY_VIOLATION)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public boolean keep(
      Key key,
      String attempt,
      String answeredBy,
      State state,
      int httpStatus,
      byte @Nullable [] answer) {
    try (Connection connection = database.connection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE rowhouse_idempotency SET state = ?, http_status = ?, answer = ?,"
                    + " answer_bytes = ?, attempt = ? WHERE tenant = ? AND key_hash = ?"
                    + " AND (attempt = ? AND state = 'RUNNING' OR attempt = ? AND state = ?)")) {
      update.setString(1, state.name());
      update.setInt(2, httpStatus);
      update.setBytes(3, answer);
      update.setLong(4, answer == null ? 0 : answer.length);
      update.setString(5, answeredBy);
      update.setString(6, key.tenant().value());
      update.setString(7, key.keyHash());
      update.setString(8, attempt);
      // A first try may have been written although it looked like a failure.
      update.setString(9, answeredBy);
      update.setString(10, state.name());
      return update.executeUpdate() == 1;
    } catch (SQLException e) {
      throw new JournalException("cannot keep an answer", e);
    }
  }

  @Override
  public void release(Key key, String attempt) {
    try (Connection connection = database.connection()) {
      delete(connection, key.tenant(), key.keyHash(), attempt);
    } catch (SQLException e) {
      throw new JournalException("cannot release an idempotency key", e);
    }
  }

  private static void delete(Connection connection, TenantId tenant, String keyHash, String attempt)
      throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement(
            "DELETE FROM rowhouse_idempotency"
                + " WHERE tenant = ? AND key_hash = ? AND attempt = ?")) {
      delete.setString(1, tenant.value());
      delete.setString(2, keyHash);
      delete.setString(3, attempt);
      delete.executeUpdate();
    }
  }

  @Override
  public Use use(TenantId tenant, long nowMillis) {
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT COUNT(*), SUM(answer_bytes), MIN(expires_at) FROM rowhouse_idempotency"
                    + " WHERE tenant = ? AND expires_at > ?")) {
      select.setString(1, tenant.value());
      select.setLong(2, nowMillis);
      try (ResultSet row = select.executeQuery()) {
        return row.next()
            ? new Use(row.getLong(1), row.getLong(2), row.getLong(3))
            : new Use(0, 0, 0);
      }
    } catch (SQLException e) {
      throw new JournalException("cannot count idempotency keys", e);
    }
  }

  @Override
  public int sweep(long nowMillis, int rowsMax) {
    try (Connection connection = database.connection();
        PreparedStatement delete =
            connection.prepareStatement(
                "DELETE FROM rowhouse_idempotency WHERE (tenant, key_hash) IN (SELECT tenant,"
                    + " key_hash FROM rowhouse_idempotency WHERE expires_at <= ? LIMIT ?)")) {
      delete.setLong(1, nowMillis);
      delete.setInt(2, rowsMax);
      return delete.executeUpdate();
    } catch (SQLException e) {
      throw new JournalException("cannot remove idempotency keys", e);
    }
  }

  @Override
  public int erase(TenantId tenant) {
    try (Connection connection = database.connection();
        PreparedStatement delete =
            connection.prepareStatement("DELETE FROM rowhouse_idempotency WHERE tenant = ?")) {
      delete.setString(1, tenant.value());
      return delete.executeUpdate();
    } catch (SQLException e) {
      throw new JournalException("cannot erase idempotency keys", e);
    }
  }
}
