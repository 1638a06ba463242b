package dev.rowhouse.tenant;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.TenantProfile.Status;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The directory in an SQL database: rows and offset change in one transaction. */
final class SqlDirectoryTable implements DirectoryTable {
  private final Database database;
  private final String defaultPlan;

  SqlDirectoryTable(Database database, String defaultPlan) {
    this.database = database;
    this.defaultPlan = defaultPlan;
  }

  @Override
  public void createSchema() throws SQLException {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_tenants (
            id VARCHAR(63) PRIMARY KEY,
            status VARCHAR(16) NOT NULL,
            plan VARCHAR(64),
            display_name VARCHAR(1200),
            created_at_millis BIGINT NOT NULL,
            updated_at_millis BIGINT NOT NULL,
            version BIGINT NOT NULL)
          """);
      // An older version had room for names in clear only.
      statement.execute(
          "ALTER TABLE rowhouse_tenants ALTER COLUMN display_name SET DATA TYPE VARCHAR(1200)");
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_tenants_offset (
            name VARCHAR(32) PRIMARY KEY,
            journal_offset VARCHAR(64) NOT NULL)
          """);
    }
  }

  @Override
  public List<TenantDirectory.Row> read(TenantDirectory.Query query) throws SQLException {
    StringBuilder sql =
        new StringBuilder(
            "SELECT id, status, COALESCE(plan, ?), display_name, created_at_millis,"
                + " updated_at_millis FROM rowhouse_tenants WHERE id > ?");
    Status status = query.status();
    String plan = query.plan();
    sql.append(status == null ? "" : " AND status = ?");
    sql.append(plan == null ? "" : " AND COALESCE(plan, ?) = ?");
    sql.append(" ORDER BY id LIMIT ?");
    try (Connection connection = database.connection();
        PreparedStatement select = connection.prepareStatement(sql.toString())) {
      int at = 0;
      select.setString(++at, defaultPlan);
      select.setString(++at, query.after() == null ? "" : query.after());
      if (status != null) {
        select.setString(++at, status.name());
      }
      if (plan != null) {
        select.setString(++at, defaultPlan);
        select.setString(++at, plan);
      }
      select.setInt(++at, query.limit() + 1);
      List<TenantDirectory.Row> rows = new ArrayList<>();
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          rows.add(
              new TenantDirectory.Row(
                  new TenantId(found.getString(1)),
                  Status.valueOf(found.getString(2)),
                  found.getString(3),
                  found.getString(4),
                  Instant.ofEpochMilli(found.getLong(5)),
                  Instant.ofEpochMilli(found.getLong(6))));
        }
      }
      return rows;
    }
  }

  @Override
  public boolean contains(String tenant) throws SQLException {
    try (Connection connection = database.connection()) {
      return isThere(connection, tenant);
    }
  }

  @Override
  public long countNames(String tenant) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT COUNT(display_name) FROM rowhouse_tenants WHERE id = ?")) {
      select.setString(1, tenant);
      try (ResultSet found = select.executeQuery()) {
        return found.next() ? found.getLong(1) : 0;
      }
    }
  }

  @Override
  public void eraseName(String tenant) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE rowhouse_tenants SET display_name = NULL WHERE id = ?")) {
      update.setString(1, tenant);
      update.executeUpdate();
    }
  }

  @Override
  public String offset() throws SQLException {
    try (Connection connection = database.connection()) {
      return offset(connection);
    }
  }

  private static String offset(Connection connection) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT journal_offset FROM rowhouse_tenants_offset WHERE name = ?")) {
      select.setString(1, OFFSET_NAME);
      try (ResultSet found = select.executeQuery()) {
        return found.next() ? found.getString(1) : "";
      }
    }
  }

  @Override
  public void write(String from, String until, List<Change> changes) throws SQLException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        moveOffset(connection, from, until);
        for (Change change : changes) {
          write(connection, change);
        }
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  private static void moveOffset(Connection connection, String from, String until)
      throws SQLException {
    String sql =
        from.isEmpty()
            ? "INSERT INTO rowhouse_tenants_offset (journal_offset, name) VALUES (?, ?)"
            : "UPDATE rowhouse_tenants_offset SET journal_offset = ? WHERE name = ?"
                + " AND journal_offset = ?";
    try (PreparedStatement move = connection.prepareStatement(sql)) {
      move.setString(1, until);
      move.setString(2, OFFSET_NAME);
      if (!from.isEmpty()) {
        move.setString(3, from);
      }
      if (move.executeUpdate() != 1) {
        throw new SQLException("another projector has moved the offset from " + from);
      }
    }
  }

  private void write(Connection connection, Change change) throws SQLException {
    TenantEvent event = change.event();
    switch (event) {
      case TenantEvent.Onboarded onboarded -> insert(connection, change, onboarded);
      case TenantEvent.Configured configured ->
          update(
              connection,
              change,
              event,
              "plan = ?, display_name = ?",
              configured.spec().plan(),
              change.sealedName());
      case TenantEvent.Suspended _ ->
          update(connection, change, event, "status = ?", Status.SUSPENDED.name());
      case TenantEvent.Resumed _ ->
          update(connection, change, event, "status = ?", Status.ACTIVE.name());
      case TenantEvent.Offboarded _ ->
          update(
              connection,
              change,
              event,
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
          update(connection, change, event, "status = status");
      case TenantEvent.BudgetMarked _ -> {}
    }
  }

  private void insert(Connection connection, Change change, TenantEvent.Onboarded onboarded)
      throws SQLException {
    if (isThere(connection, onboarded.tenant().value())) {
      return;
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO rowhouse_tenants"
                + " (id, status, plan, display_name, created_at_millis, updated_at_millis, version)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?)")) {
      long atMillis = onboarded.at().toEpochMilli();
      insert.setString(1, onboarded.tenant().value());
      insert.setString(2, Status.ACTIVE.name());
      insert.setString(3, onboarded.spec().plan());
      insert.setString(4, change.sealedName());
      insert.setLong(5, atMillis);
      insert.setLong(6, atMillis);
      insert.setLong(7, change.sequenceNumber());
      insert.executeUpdate();
    }
  }

  private static boolean isThere(Connection connection, String tenant) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT 1 FROM rowhouse_tenants WHERE id = ?")) {
      select.setString(1, tenant);
      try (ResultSet found = select.executeQuery()) {
        return found.next();
      }
    }
  }

  /** A tag query may bring an event twice after a fault: the version keeps it from counting. */
  private static void update(
      Connection connection,
      Change change,
      TenantEvent event,
      String columns,
      @Nullable String... values)
      throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE rowhouse_tenants SET "
                + columns
                + ", updated_at_millis = ?, version = ? WHERE id = ? AND version < ?")) {
      int at = 0;
      for (String value : values) {
        update.setString(++at, value);
      }
      update.setLong(++at, event.at().toEpochMilli());
      update.setLong(++at, change.sequenceNumber());
      update.setString(++at, event.tenant().value());
      update.setLong(++at, change.sequenceNumber());
      update.executeUpdate();
    }
  }
}
