package dev.rowhouse.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.JournalException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The log in the database: its entries, the base after which they begin, and the newest anchor of
 * each segment of a ledger. Calls block.
 */
final class AuditTable {
  /** The name under which writers of the log claim numbers at the Fence. */
  static final String FENCE_NAME = "audit";

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final TypeReference<TreeMap<String, String>> DETAIL = new TypeReference<>() {};

  private static final String COLUMNS =
      "sequence_number, time_millis, kind, request_id, actor, remote, action, target, detail, hash";

  private final Database database;

  /** Another writer has claimed the log since. */
  static final class FencedOff extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FencedOff(long number) {
      super("another writer of the log has claimed a number after " + number);
    }
  }

  private AuditTable(Database database) {
    this.database = database;
  }

  /** Opens the log, and makes its tables where they are missing. */
  static AuditTable open(Database database) {
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      statement.execute(
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
          """);
      statement.execute(
          "create index if not exists rowhouse_audit_time on rowhouse_audit (time_millis)");
      statement.execute(
          "create index if not exists rowhouse_audit_target on rowhouse_audit (target)");
      statement.execute(
          """
          create table if not exists rowhouse_audit_base (
            sequence_number bigint primary key,
            hash varchar(64) not null)
          """);
      statement.execute(
          """
          create table if not exists rowhouse_audit_anchors (
            persistence_id varchar(255) primary key,
            sequence_number bigint not null,
            hash varchar(64) not null)
          """);
    } catch (SQLException e) {
      throw new JournalException("cannot make the tables of the audit log", e);
    }
    return new AuditTable(database);
  }

  /** The end of the log. */
  AuditHead last() {
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

  /** What stood before the first entry that is kept. */
  AuditHead base() {
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

  /** Writes those entries if that number is still the latest, all or none. */
  void write(long number, List<AuditEntry> entries) {
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
    insert.setString(9, json(entry.detail()));
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

  /** The end of the log before that time; absent when nothing is that old. */
  @Nullable AuditHead lastBefore(long timeMillis) {
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

  /** Forgets the entries up to a base of which an entry tells already. */
  void prune(long number, AuditHead base) {
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

  /** Entries by number, at most so many. */
  List<AuditEntry> read(AuditQuery query) {
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
        kind(row.getString(3)),
        row.getString(4),
        row.getString(5),
        row.getString(6),
        row.getString(7),
        row.getString(8),
        detail(row.getString(9)),
        row.getString(10));
  }

  /** A kind that was altered reads as another one: the hash then tells. */
  private static AuditDraft.Kind kind(String name) {
    for (AuditDraft.Kind kind : AuditDraft.Kind.values()) {
      if (kind.name().equals(name)) {
        return kind;
      }
    }
    return AuditDraft.Kind.ALARM;
  }

  private static String json(Map<String, String> detail) {
    try {
      return JSON.writeValueAsString(new TreeMap<>(detail));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts are always writable", e);
    }
  }

  /** A detail that was altered beyond reading stands as what it is: the hash then tells. */
  private static Map<String, String> detail(String text) {
    try {
      return JSON.readValue(text, DETAIL);
    } catch (JsonProcessingException e) {
      return Map.of("unreadable", text);
    }
  }

  /** The newest anchors of the segments that come after one, at most so many, in order. */
  Map<String, AuditHead> anchors(String after, int limit) {
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

  /** The newest anchors of those segments. */
  Map<String, AuditHead> anchorsOf(Set<String> persistenceIds) {
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
