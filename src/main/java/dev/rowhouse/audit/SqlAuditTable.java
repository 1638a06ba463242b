package dev.rowhouse.audit;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The log in an SQL database. */
final class SqlAuditTable implements AuditTable {
  private static final String COLUMNS =
      "sequence_number, time_millis, kind, request_id, actor, remote, action, target, detail, hash";

  private final Database database;

  private SqlAuditTable(Database database) {
    this.database = database;
  }

  /** Opens the log, and makes its tables where they are missing. */
  static SqlAuditTable open(Database database) {
    Sql.make(
        database,
        "the tables of the audit log",
        """
        create table if not exists rowhouse_audit (
          sequence_number bigint primary key,
          time_millis bigint not null,
          kind varchar(16) not null,
          request_id varchar(200) not null,
          actor varchar(200) not null,
          remote varchar(200) not null,
          action varchar(200) not null,
          target varchar(200) not null,
          detail varchar(1000000) not null,
          hash varchar(64) not null)
        """,
        "create index if not exists rowhouse_audit_time on rowhouse_audit (time_millis)",
        "create index if not exists rowhouse_audit_target on rowhouse_audit (target)",
        """
        create table if not exists rowhouse_audit_base (
          sequence_number bigint primary key,
          hash varchar(64) not null)
        """,
        """
        create table if not exists rowhouse_audit_anchors (
          persistence_id varchar(255) primary key,
          sequence_number bigint not null,
          hash varchar(64) not null)
        """);
    return new SqlAuditTable(database);
  }

  @Override
  public AuditHead last() {
    try (Connection connection = database.connection()) {
      AuditHead last =
          head(
              connection,
              "select sequence_number, hash from rowhouse_audit"
                  + " order by sequence_number desc limit 1");
      return last == null ? base(connection) : last;
    } catch (SQLException e) {
      throw new JournalException("cannot read the end of the audit log", e);
    }
  }

  @Override
  public AuditHead base() {
    try (Connection connection = database.connection()) {
      return base(connection);
    } catch (SQLException e) {
      throw new JournalException("cannot read the base of the audit log", e);
    }
  }

  private static AuditHead base(Connection connection) throws SQLException {
    AuditHead base =
        head(
            connection,
            "select sequence_number, hash from rowhouse_audit_base"
                + " order by sequence_number desc limit 1");
    return base == null ? AuditHead.GENESIS : base;
  }

  private static @Nullable AuditHead head(Connection connection, String sql) throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(sql);
        ResultSet row = select.executeQuery()) {
      return row.next() ? new AuditHead(row.getLong(1), row.getString(2)) : null;
    }
  }

  @Override
  public void write(long number, List<AuditEntry> entries) {
    inTransaction(
        "write to the audit log",
        connection -> {
          checkFence(connection, number);
          try (PreparedStatement insert =
              connection.prepareStatement(
                  "insert into rowhouse_audit ("
                      + COLUMNS
                      + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (AuditEntry entry : entries) {
              set(insert, entry);
              insert.addBatch();
              if (entry.kind() == AuditDraft.Kind.ANCHOR) {
                anchor(connection, entry);
              }
            }
            insert.executeBatch();
          }
        });
  }

  private static void checkFence(Connection connection, long number) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("select max(number) from rowhouse_fence where name = ?")) {
      select.setString(1, FENCE_NAME);
      try (ResultSet row = select.executeQuery()) {
        if (!row.next() || row.getLong(1) != number) {
          throw new FencedOff(number);
        }
      }
    }
  }

  private static void set(PreparedStatement insert, AuditEntry entry) throws SQLException {
    insert.setLong(1, entry.sequence());
    insert.setLong(2, entry.timeMillis());
    insert.setString(3, entry.kind().name());
    insert.setString(4, entry.requestId());
    insert.setString(5, entry.actor());
    insert.setString(6, entry.remote());
    insert.setString(7, entry.action());
    insert.setString(8, entry.target());
    insert.setString(9, AuditTable.json(entry.detail()));
    insert.setString(10, entry.hash());
  }

  private static void anchor(Connection connection, AuditEntry entry) throws SQLException {
    try (PreparedStatement update =
            connection.prepareStatement(
                "update rowhouse_audit_anchors set sequence_number = ?, hash = ?"
                    + " where persistence_id = ?");
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into rowhouse_audit_anchors (sequence_number, hash, persistence_id)"
                    + " values (?, ?, ?)")) {
      for (Map.Entry<String, String> detail : entry.detail().entrySet()) {
        AuditHead head = AuditChain.head(detail.getValue());
        if (head != null && execute(update, head, detail.getKey()) == 0) {
          execute(insert, head, detail.getKey());
        }
      }
    }
  }

  private static int execute(PreparedStatement statement, AuditHead head, String persistenceId)
      throws SQLException {
    statement.setLong(1, head.sequence());
    statement.setString(2, head.hash());
    statement.setString(3, persistenceId);
    return statement.executeUpdate();
  }

  @Override
  public @Nullable AuditHead lastBefore(long timeMillis) {
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "select sequence_number, hash from rowhouse_audit where time_millis < ?"
                    + " order by sequence_number desc limit 1")) {
      select.setLong(1, timeMillis);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? new AuditHead(row.getLong(1), row.getString(2)) : null;
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the audit log", e);
    }
  }

  @Override
  public void prune(long number, AuditHead base) {
    inTransaction(
        "prune the audit log",
        connection -> {
          checkFence(connection, number);
          try (PreparedStatement insert =
                  connection.prepareStatement(
                      "insert into rowhouse_audit_base (sequence_number, hash) values (?, ?)");
              PreparedStatement older =
                  connection.prepareStatement(
                      "delete from rowhouse_audit_base where sequence_number < ?");
              PreparedStatement delete =
                  connection.prepareStatement(
                      "delete from rowhouse_audit where sequence_number <= ?")) {
            insert.setLong(1, base.sequence());
            insert.setString(2, base.hash());
            insert.executeUpdate();
            older.setLong(1, base.sequence());
            older.executeUpdate();
            delete.setLong(1, base.sequence());
            delete.executeUpdate();
          }
        });
  }

  @Override
  public List<AuditEntry> read(AuditQuery query) {
    StringBuilder sql =
        new StringBuilder("select " + COLUMNS + " from rowhouse_audit where sequence_number > ?");
    List<Object> values = new ArrayList<>(List.of(query.after()));
    add(sql, values, "time_millis >= ?", query.fromMillis());
    add(sql, values, "time_millis < ?", query.toMillis());
    add(sql, values, "action = ?", query.action());
    add(sql, values, "target = ?", query.target());
    add(sql, values, "kind = ?", query.kind() == null ? null : query.kind().name());
    sql.append(" order by sequence_number limit ?");
    values.add(query.limit());
    List<AuditEntry> entries = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement select = connection.prepareStatement(sql.toString())) {
      for (int at = 0; at < values.size(); at++) {
        select.setObject(at + 1, values.get(at));
      }
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          entries.add(entry(rows));
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the audit log", e);
    }
    return List.copyOf(entries);
  }

  private static void add(
      StringBuilder sql, List<Object> values, String condition, @Nullable Object value) {
    if (value != null) {
      sql.append(" and ").append(condition);
      values.add(value);
    }
  }

  private static AuditEntry entry(ResultSet row) throws SQLException {
    return new AuditEntry(
        row.getLong(1),
        row.getLong(2),
        AuditTable.kind(row.getString(3)),
        row.getString(4),
        row.getString(5),
        row.getString(6),
        row.getString(7),
        row.getString(8),
        AuditTable.detail(row.getString(9)),
        row.getString(10));
  }

  @Override
  public Map<String, AuditHead> anchors(String after, int limit) {
    Map<String, AuditHead> anchors = new TreeMap<>();
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "select persistence_id, sequence_number, hash from rowhouse_audit_anchors"
                    + " where persistence_id > ? order by persistence_id limit ?")) {
      select.setString(1, after);
      select.setInt(2, limit);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          anchors.put(rows.getString(1), new AuditHead(rows.getLong(2), rows.getString(3)));
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the anchors", e);
    }
    return anchors;
  }

  @Override
  public Map<String, AuditHead> anchorsOf(Set<String> persistenceIds) {
    Map<String, AuditHead> anchors = new TreeMap<>();
    try (Connection connection = database.connection();
        PreparedStatement select =
            connection.prepareStatement(
                "select sequence_number, hash from rowhouse_audit_anchors"
                    + " where persistence_id = ?")) {
      for (String persistenceId : persistenceIds) {
        select.setString(1, persistenceId);
        try (ResultSet row = select.executeQuery()) {
          if (row.next()) {
            anchors.put(persistenceId, new AuditHead(row.getLong(1), row.getString(2)));
          }
        }
      }
    } catch (SQLException e) {
      throw new JournalException("cannot read the anchors", e);
    }
    return anchors;
  }

  private interface Work {
    void on(Connection connection) throws SQLException;
  }

  private void inTransaction(String what, Work work) {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try {
        work.on(connection);
        connection.commit();
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
