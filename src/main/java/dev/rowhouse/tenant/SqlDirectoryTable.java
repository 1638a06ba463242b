package dev.rowhouse.tenant;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantProfile.Status;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The directory in an SQL database: rows and offset change in one transaction. */
final class SqlDirectoryTable implements DirectoryTable {
  private static final String READ_FAILED = "cannot read the directory of tenants";

  private final Database database;
  private final String defaultPlan;

  SqlDirectoryTable(Database database, String defaultPlan) {
    this.database = database;
    this.defaultPlan = defaultPlan;
  }

  @Override
  public void createSchema() {
    Sql.make(
        database,
        "the table of tenants",
        """
        CREATE TABLE IF NOT EXISTS rowhouse_tenants (
          id VARCHAR(63) PRIMARY KEY,
          status VARCHAR(16) NOT NULL,
          plan VARCHAR(64),
          display_name VARCHAR(1200),
          created_at_millis BIGINT NOT NULL,
          updated_at_millis BIGINT NOT NULL,
          version BIGINT NOT NULL)
        """,
        // An older version had room for names in clear only.
        "ALTER TABLE rowhouse_tenants ALTER COLUMN display_name SET DATA TYPE VARCHAR(1200)",
        """
        CREATE TABLE IF NOT EXISTS rowhouse_tenants_offset (
          name VARCHAR(32) PRIMARY KEY,
          journal_offset VARCHAR(64) NOT NULL)
        """);
  }

  @Override
  public List<TenantDirectory.Row> read(TenantDirectory.Query query) {
    Status status = query.status();
    String plan = query.plan();
    List<Object> arguments = new ArrayList<>();
    arguments.add(defaultPlan);
    arguments.add(query.after() == null ? "" : query.after());
    if (status != null) {
      arguments.add(status.name());
    }
    if (plan != null) {
      arguments.add(defaultPlan);
      arguments.add(plan);
    }
    arguments.add(query.limit() + 1);
    return Sql.apart(
        database,
        READ_FAILED,
        sql ->
            sql.query(
                "SELECT id, status, COALESCE(plan, ?), display_name, created_at_millis,"
                    + " updated_at_millis FROM rowhouse_tenants WHERE id > ?"
                    + (status == null ? "" : " AND status = ?")
                    + (plan == null ? "" : " AND COALESCE(plan, ?) = ?")
                    + " ORDER BY id LIMIT ?",
                row ->
                    new TenantDirectory.Row(
                        new TenantId(row.getString(1)),
                        Status.valueOf(row.getString(2)),
                        row.getString(3),
                        row.getString(4),
                        Instant.ofEpochMilli(row.getLong(5)),
                        Instant.ofEpochMilli(row.getLong(6))),
                arguments.toArray()));
  }

  @Override
  public boolean contains(String tenant) {
    return Sql.apart(database, READ_FAILED, sql -> isThere(sql, tenant));
  }

  @Override
  public long countNames(String tenant) {
    return Sql.apart(
        database,
        READ_FAILED,
        sql -> sql.number("SELECT COUNT(display_name) FROM rowhouse_tenants WHERE id = ?", tenant));
  }

  @Override
  public void eraseName(String tenant) {
    Sql.apart(
        database,
        "cannot erase a tenant's name",
        sql -> sql.update("UPDATE rowhouse_tenants SET display_name = NULL WHERE id = ?", tenant));
  }

  @Override
  public String offset() {
    String offset =
        Sql.<@Nullable String>apart(
            database,
            READ_FAILED,
            sql ->
                sql.first(
                    "SELECT journal_offset FROM rowhouse_tenants_offset WHERE name = ?",
                    row -> row.getString(1),
                    OFFSET_NAME));
    return offset == null ? "" : offset;
  }

  @Override
  public void write(String from, String until, List<Change> changes) {
    Sql.transaction(
        database,
        "cannot write the directory of tenants",
        sql -> {
          moveOffset(sql, from, until);
          for (Change change : changes) {
            write(sql, change);
          }
          return changes.size();
        });
  }

  private static void moveOffset(Sql sql, String from, String until) throws SQLException {
    int moved =
        from.isEmpty()
            ? sql.update(
                "INSERT INTO rowhouse_tenants_offset (journal_offset, name) VALUES (?, ?)",
                until,
                OFFSET_NAME)
            : sql.update(
                "UPDATE rowhouse_tenants_offset SET journal_offset = ? WHERE name = ?"
                    + " AND journal_offset = ?",
                until,
                OFFSET_NAME,
                from);
    if (moved != 1) {
      throw new JournalException("another projector has moved the offset from " + from, null);
    }
  }

  private static void write(Sql sql, Change change) throws SQLException {
    switch (change.event()) {
      case TenantEvent.Onboarded onboarded -> insert(sql, change, onboarded);
      case TenantEvent.Configured configured ->
          update(
              sql,
              change,
              "plan = ?, display_name = ?",
              configured.spec().plan(),
              change.sealedName());
      case TenantEvent.Suspended _ -> update(sql, change, "status = ?", Status.SUSPENDED.name());
      case TenantEvent.Resumed _ -> update(sql, change, "status = ?", Status.ACTIVE.name());
      case TenantEvent.Offboarded _ ->
          update(
              sql,
              change,
              "status = ?, plan = ?, display_name = ?",
              Status.OFFBOARDED.name(),
              null,
              null);
      case TenantEvent.KeyCreated _,
          TenantEvent.KeyChanged _,
          TenantEvent.KeyRevoked _,
          TenantEvent.KeyRotated _,
          TenantEvent.PromptSaved _,
          TenantEvent.PromptDeleted _ ->
          update(sql, change, "status = status");
      case TenantEvent.BudgetMarked _ -> {}
    }
  }

  private static void insert(Sql sql, Change change, TenantEvent.Onboarded onboarded)
      throws SQLException {
    if (isThere(sql, onboarded.tenant().value())) {
      return;
    }
    long atMillis = onboarded.at().toEpochMilli();
    sql.update(
        "INSERT INTO rowhouse_tenants"
            + " (id, status, plan, display_name, created_at_millis, updated_at_millis, version)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?)",
        onboarded.tenant().value(),
        Status.ACTIVE.name(),
        onboarded.spec().plan(),
        change.sealedName(),
        atMillis,
        atMillis,
        change.sequenceNumber());
  }

  private static boolean isThere(Sql sql, String tenant) throws SQLException {
    return sql.number("SELECT COUNT(*) FROM rowhouse_tenants WHERE id = ?", tenant) > 0;
  }

  /** A tag query may bring an event twice after a fault: the version keeps it from counting. */
  private static void update(Sql sql, Change change, String columns, @Nullable String... values)
      throws SQLException {
    List<@Nullable Object> arguments = new ArrayList<>();
    arguments.addAll(Arrays.asList(values));
    arguments.add(change.event().at().toEpochMilli());
    arguments.add(change.sequenceNumber());
    arguments.add(change.event().tenant().value());
    arguments.add(change.sequenceNumber());
    sql.update(
        "UPDATE rowhouse_tenants SET "
            + columns
            + ", updated_at_millis = ?, version = ? WHERE id = ? AND version < ?",
        arguments.toArray());
  }
}
