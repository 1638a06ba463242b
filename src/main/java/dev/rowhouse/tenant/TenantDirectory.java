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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * All tenants in one table, for the operator's list: a projection of the tenants' records, so that
 * listing wakes no tenant. It follows the journal within a second or so; what a single tenant is,
 * its record says.
 *
 * <p>{@link TenantDirectoryProjector} fills it. The offset is kept in the same transaction as the
 * rows, and moves only from where the writer found it: of two writers one fails and reads again.
 */
public final class TenantDirectory {
  /** As many rows as a page may have; a longer list is read in pages. */
  public static final int LIMIT_MAX = 1_000;

  private static final String OFFSET_NAME = "tenants";

  private final Database database;
  private final Executor blocking;
  private final String defaultPlan;

  /**
   * A directory in that database.
   *
   * @param blocking runs what waits for the database
   * @param defaultPlan the plan of a tenant that names none
   */
  public TenantDirectory(Database database, Executor blocking, String defaultPlan) {
    this.database = database;
    this.blocking = blocking;
    this.defaultPlan = defaultPlan;
  }

  /** One tenant of the list. */
  public record Row(
      TenantId tenant,
      Status status,
      String plan,
      @Nullable String displayName,
      Instant createdAt,
      Instant updatedAt) {}

  /**
   * Some tenants, by id.
   *
   * @param hasMore whether others follow the last one
   */
  public record Page(List<Row> rows, boolean hasMore) {
    public Page {
      rows = List.copyOf(rows);
    }
  }

  /**
   * Which tenants are asked for.
   *
   * @param after the id after which the page begins; absent: the first page
   * @param limit rows of the page, 1 to 1,000
   * @param status only tenants of that status; absent: of any
   * @param plan only tenants of that plan; absent: of any
   */
  public record Query(
      @Nullable String after, int limit, @Nullable Status status, @Nullable String plan) {
    public Query {
      if (limit < 1 || limit > LIMIT_MAX) {
        throw new IllegalArgumentException("limit must be between 1 and " + LIMIT_MAX);
      }
    }
  }

  /** Makes the tables where they are missing; blocks, for the start of a node. */
  public void createSchema() throws SQLException {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_tenants (
            id VARCHAR(63) PRIMARY KEY,
            status VARCHAR(16) NOT NULL,
            plan VARCHAR(64),
            display_name VARCHAR(200),
            created_at_millis BIGINT NOT NULL,
            updated_at_millis BIGINT NOT NULL,
            version BIGINT NOT NULL)
          """);
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS rowhouse_tenants_offset (
            name VARCHAR(32) PRIMARY KEY,
            journal_offset VARCHAR(64) NOT NULL)
          """);
    }
  }

  /** The tenants that are asked for, by id. */
  public CompletionStage<Page> list(Query query) {
    return run(() -> read(query));
  }

  private Page read(Query query) throws SQLException {
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
      List<Row> rows = new ArrayList<>();
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          rows.add(
              new Row(
                  new TenantId(found.getString(1)),
                  Status.valueOf(found.getString(2)),
                  found.getString(3),
                  found.getString(4),
                  Instant.ofEpochMilli(found.getLong(5)),
                  Instant.ofEpochMilli(found.getLong(6))));
        }
      }
      boolean hasMore = rows.size() > query.limit();
      return new Page(hasMore ? rows.subList(0, query.limit()) : rows, hasMore);
    }
  }

  /** An event and where it stands. */
  record Envelope(TenantEvent event, long sequenceNumber, String offset) {}

  /** How far the journal was read; empty: not at all. */
  CompletionStage<String> offset() {
    return run(
        () -> {
          try (Connection connection = database.connection()) {
            return offset(connection);
          }
        });
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

  /**
   * Writes those events and moves the offset, or does neither.
   *
   * @param from the offset after which the events were read
   * @return the offset of the last event
   */
  CompletionStage<String> write(String from, List<Envelope> events) {
    return run(
        () -> {
          try (Connection connection = database.connection()) {
            connection.setAutoCommit(false);
            try {
              String until = events.getLast().offset();
              moveOffset(connection, from, until);
              for (Envelope envelope : events) {
                write(connection, envelope);
              }
              connection.commit();
              return until;
            } catch (SQLException | RuntimeException e) {
              connection.rollback();
              throw e;
            } finally {
              connection.setAutoCommit(true);
            }
          }
        });
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

  private static void write(Connection connection, Envelope envelope) throws SQLException {
    switch (envelope.event()) {
      case TenantEvent.Onboarded onboarded -> insert(connection, envelope, onboarded);
      case TenantEvent.Configured configured ->
          update(
              connection,
              envelope,
              "plan = ?, display_name = ?",
              configured.spec().plan(),
              configured.spec().displayName());
      case TenantEvent.Suspended _ ->
          update(connection, envelope, "status = ?", Status.SUSPENDED.name());
      case TenantEvent.Resumed _ ->
          update(connection, envelope, "status = ?", Status.ACTIVE.name());
      case TenantEvent.Offboarded _ ->
          update(
              connection,
              envelope,
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
          update(connection, envelope, "status = status");
      case TenantEvent.BudgetMarked _ -> {}
    }
  }

  private static void insert(
      Connection connection, Envelope envelope, TenantEvent.Onboarded onboarded)
      throws SQLException {
    if (isThere(connection, onboarded.tenant())) {
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
      insert.setString(4, onboarded.spec().displayName());
      insert.setLong(5, atMillis);
      insert.setLong(6, atMillis);
      insert.setLong(7, envelope.sequenceNumber());
      insert.executeUpdate();
    }
  }

  private static boolean isThere(Connection connection, TenantId tenant) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT 1 FROM rowhouse_tenants WHERE id = ?")) {
      select.setString(1, tenant.value());
      try (ResultSet found = select.executeQuery()) {
        return found.next();
      }
    }
  }

  /** A tag query may bring an event twice after a fault: the version keeps it from counting. */
  private static void update(
      Connection connection, Envelope envelope, String columns, @Nullable String... values)
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
      update.setLong(++at, envelope.event().at().toEpochMilli());
      update.setLong(++at, envelope.sequenceNumber());
      update.setString(++at, envelope.event().tenant().value());
      update.setLong(++at, envelope.sequenceNumber());
      update.executeUpdate();
    }
  }

  private interface Work<T> {
    T run() throws SQLException;
  }

  private <T> CompletionStage<T> run(Work<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.run();
          } catch (SQLException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }
}
