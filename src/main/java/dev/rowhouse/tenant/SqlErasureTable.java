package dev.rowhouse.tenant;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Erasures in an SQL database. */
final class SqlErasureTable implements ErasureTable {
  private final Database database;

  SqlErasureTable(Database database) {
    this.database = database;
    Sql.make(
        database,
        "the table of erasures",
        """
        CREATE TABLE IF NOT EXISTS rowhouse_erasures (
          tenant VARCHAR(63) PRIMARY KEY, request_id VARCHAR(100) NOT NULL,
          asked_by VARCHAR(200) NOT NULL, asked_at BIGINT NOT NULL, counts VARCHAR(8000),
          done_at BIGINT, report VARCHAR(64000))
        """);
  }

  @Override
  public void ask(TenantId tenant, String requestId, String askedBy, Instant now) {
    Sql.apart(
        database,
        "cannot note an erasure of " + tenant,
        sql ->
            sql.insert(
                "INSERT INTO rowhouse_erasures (tenant, request_id, asked_by, asked_at)"
                    + " VALUES (?, ?, ?, ?)",
                tenant.value(),
                requestId,
                askedBy,
                now.toEpochMilli()));
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
    return Sql.apart(
        database,
        "cannot read the erasures",
        sql ->
            sql.query(
                "SELECT tenant, request_id, asked_by, asked_at, counts, report"
                    + " FROM rowhouse_erasures "
                    + where,
                row ->
                    new Entry(
                        new TenantId(row.getString(1)),
                        row.getString(2),
                        row.getString(3),
                        Instant.ofEpochMilli(row.getLong(4)),
                        row.getString(5),
                        row.getString(6)),
                value));
  }

  private void update(String statement, Object... values) {
    Sql.apart(database, "cannot write an erasure", sql -> sql.update(statement, values));
  }
}
