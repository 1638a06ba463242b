package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tenants whose key ids are no longer kept. A word stands in their place, so every sum stays.
 *
 * <p>The journal goes on holding key ids, and the tables are written from it: late, or anew by a
 * rebuild. So whoever writes rows asks here first, under the locks of the tenant's segments, which
 * an erasure holds as well. Only a tenant of which nothing is in the tables has no lock yet; what
 * its first event may then bring loses its key ids when it is folded.
 */
final class Erased {
  /** What stands for every key. A key has an id of twelve characters, so none is this. */
  static final String KEY = "erased";

  private Erased() {}

  static boolean is(Connection connection, String tenant) throws SQLException {
    return count(connection, "select count(*) from rowhouse_usage_erased where tenant = ?", tenant)
        > 0;
  }

  /** The same sums, with that word for every key. */
  static Map<Group, Sums> withoutKeys(Map<Group, Sums> sums) {
    Map<Group, Sums> without = new LinkedHashMap<>();
    sums.forEach((group, sum) -> without.merge(group.withoutKey(), sum, Sums::plus));
    return without;
  }

  /** Erases what there is and notes that it is to stay so. */
  static void erase(Connection connection, String tenant, long nowMillis) throws SQLException {
    SegmentMark.lock(connection, tenant, 0);
    if (!is(connection, tenant)) {
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into rowhouse_usage_erased (since_millis, tenant) values (?, ?)")) {
        insert.setLong(1, nowMillis);
        insert.setString(2, tenant);
        insert.executeUpdate();
      }
    }
    for (String table : List.of("rowhouse_usage_rows", "rowhouse_usage_corrections")) {
      execute(
          connection,
          "update " + table + " set key_id = '" + KEY + "' where tenant = ? and key_id <> ?",
          tenant);
    }
    Map<Group, Sums> hours = hours(connection, tenant);
    execute(
        connection, "delete from rowhouse_usage_hours where tenant = ? and key_id <> ?", tenant);
    Folding.addHours(connection, tenant, hours);
    Unknowns.forget(connection, tenant);
  }

  private static void execute(Connection connection, String sql, String tenant)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, tenant);
      statement.setString(2, KEY);
      statement.executeUpdate();
    }
  }

  private static Map<Group, Sums> hours(Connection connection, String tenant) throws SQLException {
    Map<Group, Sums> hours = new LinkedHashMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select usage_hour, model, answered_by, "
                + Sums.SUMMED
                + " from rowhouse_usage_hours where tenant = ? and key_id <> ?"
                + " group by usage_hour, model, answered_by")) {
      select.setString(1, tenant);
      select.setString(2, KEY);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          hours.put(
              new Group(rows.getLong(1), rows.getString(2), rows.getString(3), KEY),
              Sums.read(rows, 4));
        }
      }
    }
    return hours;
  }

  /** How many different key ids the tables have of a tenant. */
  static long keys(Connection connection, String tenant) throws SQLException {
    String keys = " select key_id from %s where tenant = ? and key_id <> '" + KEY + "'";
    return count(
        connection,
        "select count(*) from ("
            + keys.formatted("rowhouse_usage_rows")
            + " union"
            + keys.formatted("rowhouse_usage_hours")
            + " union"
            + keys.formatted("rowhouse_usage_corrections")
            + ") k",
        tenant,
        tenant,
        tenant);
  }

  /** Attempts that are known by their ids. */
  static long attempts(Connection connection, String tenant) throws SQLException {
    return count(
        connection, "select count(*) from rowhouse_usage_unknowns where tenant = ?", tenant);
  }

  private static long count(Connection connection, String sql, String... values)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(sql)) {
      for (int at = 0; at < values.length; at++) {
        select.setString(at + 1, values[at]);
      }
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }
}
