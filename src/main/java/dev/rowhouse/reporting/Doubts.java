package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tenants whose sums may be wrong until their ledger was read whole. */
final class Doubts {
  private static final int REASON_LENGTH_MAX = 200;

  private Doubts() {}

  static void add(Sql sql, String tenant, String reason, long nowMillis) throws SQLException {
    int known =
        sql.update(
            "update rowhouse_usage_doubts set reason = ?, since_millis = ? where tenant = ?",
            cut(reason),
            nowMillis,
            tenant);
    if (known == 0) {
      sql.update(
          "insert into rowhouse_usage_doubts (reason, since_millis, tenant) values (?, ?, ?)",
          cut(reason),
          nowMillis,
          tenant);
    }
  }

  static String cut(String reason) {
    return reason.length() > REASON_LENGTH_MAX ? reason.substring(0, REASON_LENGTH_MAX) : reason;
  }

  static @Nullable String reason(Sql sql, String tenant) throws SQLException {
    return sql.first(
        "select reason from rowhouse_usage_doubts where tenant = ?",
        row -> row.getString(1),
        tenant);
  }

  /** Ends a doubt that is not newer than that. */
  static void end(Sql sql, String tenant, long readAtMillis) throws SQLException {
    sql.update(
        "delete from rowhouse_usage_doubts where tenant = ? and since_millis <= ?",
        tenant,
        readAtMillis);
  }

  static List<String> tenants(Sql sql, int max) throws SQLException {
    return sql.query(
        "select tenant from rowhouse_usage_doubts order by since_millis limit ?",
        row -> row.getString(1),
        max);
  }

  /** How many there are, of all or of one tenant. */
  static int count(Sql sql, @Nullable String tenant) throws SQLException {
    String count = "select count(*) from rowhouse_usage_doubts";
    return Math.toIntExact(
        tenant == null ? sql.number(count) : sql.number(count + " where tenant = ?", tenant));
  }
}
