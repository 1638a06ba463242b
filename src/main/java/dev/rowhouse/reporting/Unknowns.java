package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The attempts of a tenant that were given up: few, and kept for some days. */
final class Unknowns {
  private final Connection connection;
  private final String tenant;

  Unknowns(Connection connection, String tenant) {
    this.connection = connection;
    this.tenant = tenant;
  }

  /** Remembers attempts with their times. */
  void add(Map<String, Long> attempts) throws SQLException {
    if (attempts.isEmpty()) {
      return;
    }
    Set<String> known = all();
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into rowhouse_usage_unknowns (tenant, attempt, time_millis)"
                + " values (?, ?, ?)")) {
      for (Map.Entry<String, Long> attempt : attempts.entrySet()) {
        if (!known.contains(attempt.getKey())) {
          insert.setString(1, tenant);
          insert.setString(2, attempt.getKey());
          insert.setLong(3, attempt.getValue());
          insert.addBatch();
        }
      }
      insert.executeBatch();
    }
  }

  boolean hasAny(Set<String> attempts) throws SQLException {
    if (attempts.isEmpty()) {
      return false;
    }
    return all().stream().anyMatch(attempts::contains);
  }

  private Set<String> all() throws SQLException {
    Set<String> known = new HashSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select attempt from rowhouse_usage_unknowns where tenant = ?")) {
      select.setString(1, tenant);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          known.add(rows.getString(1));
        }
      }
    }
    return known;
  }

  /** Of that tenant all. A late record of one is then found by the next pass. */
  static void forget(Connection connection, String tenant) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement("delete from rowhouse_usage_unknowns where tenant = ?")) {
      delete.setString(1, tenant);
      delete.executeUpdate();
    }
  }

  static void forget(Connection connection, long beforeMillis) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement("delete from rowhouse_usage_unknowns where time_millis < ?")) {
      delete.setLong(1, beforeMillis);
      delete.executeUpdate();
    }
  }
}
