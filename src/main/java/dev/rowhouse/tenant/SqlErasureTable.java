package dev.rowhouse.tenant;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Erasures in an SQL database. */
final class SqlErasureTable implements ErasureTable {
  private static final String INTEGRITY_VIOLATION = "23";

  private final Database database;

  SqlErasureTable(Database database) {
    this.database = database;
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_erasures (
            tenant VARCHAR(63) PRIMARY KEY, request_id VARCHAR(100) NOT NULL,
            asked_by VARCHAR(200) NOT NULL, asked_at BIGINT NOT NULL, counts VARCHAR(8000),
            done_at BIGINT, report VARCHAR(64000))
          """);
    } catch (SQLException e) {
      throw new JournalException("cannot make the table of erasures", e);
    }
  }

  @Override
  public void ask(TenantId tenant, String requestId, String askedBy, Instant now) {
    try (Connection connection = database.connection();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO rowhouse_erasures (tenant, request_id, asked_by, asked_at)"
                    + " VALUES (?, ?, ?, ?)")) {
      insert.setString(1, tenant.value());
      insert.setString(2, requestId);
      insert.setString(3, askedBy);
      insert.setLong(4, now.toEpochMilli());
      insert.executeUpdate();
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state == null || !state.startsWith(INTEGRITY_VIOLATION)) {
        throw new JournalException("cannot note an erasure of " + tenant, e);
      }
    }
  }

  @Override
  public void withdraw(TenantId tenant, String requestId) {
    update(
        "DELETE FROM rowhouse_erasures WHERE tenant = ? AND request_id = ? AND counts IS NULL",
        tenant.value(),
        requestId);
  }

  @Override
  public void counted(TenantId tenant, String counts) {
    update(
        "UPDATE rowhouse_erasures SET counts = ? WHERE tenant = ? AND counts IS NULL",
        counts,
        tenant.value());
  }

  @Override
  public void done(TenantId tenant, String report, Instant now) {
    update(
        "UPDATE rowhouse_erasures SET report = ?, done_at = ? WHERE tenant = ? AND report IS NULL",
        report,
        now.toEpochMilli(),
        tenant.value());
  }

  @Override
  public @Nullable Entry find(TenantId tenant) {
    List<Entry> rows = read("WHERE tenant = ?", tenant.value());
    return rows.isEmpty() ? null : rows.getFirst();
  }

  @Override
  public List<Entry> unfinished(int limit) {
    return read("WHERE report IS NULL ORDER BY asked_at LIMIT ?", limit);
  }

  private List<Entry> read(String where, Object value) {
    List<Entry> rows = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT tenant, request_id, asked_by, asked_at, counts, report"
                    + " FROM rowhouse_erasures "
                    + where)) {
      select.setObject(1, value);
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          rows.add(
              new Entry(
                  new TenantId(found.getString(1)),
                  found.getString(2),
                  found.getString(3),
                  Instant.ofEpochMilli(found.getLong(4)),
                  found.getString(5),
                  found.getString(6)));
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the erasures", e);
    }
    return rows;
  }

  private void update(String sql, Object... values) {
    try (Connection connection = database.connection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        update.setObject(i + 1, values[i]);
      }
      update.executeUpdate();
    } catch (SQLException e) {
      throw new JournalException("cannot write an erasure", e);
    }
  }
}
