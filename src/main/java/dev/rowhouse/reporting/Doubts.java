package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tenants whose sums may be wrong until their ledger was read whole. */
final class Doubts {
  private static final int REASON_LENGTH_MAX = 200;

  private Doubts() {}

  static void add(Connection connection, String tenant, String reason, long nowMillis)
      throws SQLException {
    String sql = "update rowhouse_usage_doubts set reason = ?, since_millis = ? where tenant = ?";
    if (execute(connection, sql, reason, nowMillis, tenant) == 0) {
      execute(
          connection,
          "insert into rowhouse_usage_doubts (reason, since_millis, tenant) values (?, ?, ?)",
          reason,
          nowMillis,
          tenant);
    }
  }

  private static int execute(
      Connection connection, String sql, String reason, long nowMillis, String tenant)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, cut(reason));
      statement.setLong(2, nowMillis);
      statement.setString(3, tenant);
      return statement.executeUpdate();
    }
  }

  static String cut(String reason) {
    return reason.length() > REASON_LENGTH_MAX ? reason.substring(0, REASON_LENGTH_MAX) : reason;
  }

  static @Nullable String reason(Connection connection, String tenant) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("select reason from rowhouse_usage_doubts where tenant = ?")) {
      select.setString(1, tenant);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  /** Ends a doubt that is not newer than that. */
  static void end(Connection connection, String tenant, long readAtMillis) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement(
            "delete from rowhouse_usage_doubts where tenant = ? and since_millis <= ?")) {
      delete.setString(1, tenant);
      delete.setLong(2, readAtMillis);
      delete.executeUpdate();
    }
  }

  static List<String> tenants(Connection connection, int max) throws SQLException {
    List<String> tenants = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select tenant from rowhouse_usage_doubts order by since_millis limit ?")) {
      select.setInt(1, max);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          tenants.add(rows.getString(1));
        }
      }
    }
    return tenants;
  }

  /** How many there are, of all or of one tenant. */
  static int count(Connection connection, @Nullable String tenant) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select count(*) from rowhouse_usage_doubts"
                + (tenant == null ? "" : " where tenant = ?"))) {
      if (tenant != null) {
        select.setString(1, tenant);
      }
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getInt(1) : 0;
      }
    }
  }
}
