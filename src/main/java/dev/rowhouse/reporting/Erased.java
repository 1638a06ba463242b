package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
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

  static boolean is(Sql sql, String tenant) throws SQLException {
    return sql.number("select count(*) from rowhouse_usage_erased where tenant = ?", tenant) > 0;
  }

  /** The same sums, with that word for every key. */
  static Map<Group, Sums> withoutKeys(Map<Group, Sums> sums) {
    Map<Group, Sums> without = new LinkedHashMap<>();
    sums.forEach((group, sum) -> without.merge(group.withoutKey(), sum, Sums::plus));
    return without;
  }

  /** Erases what there is and notes that it is to stay so. */
  static void erase(Sql sql, String tenant, long nowMillis) throws SQLException {
    SegmentMark.lock(sql, tenant, 0);
    if (!is(sql, tenant)) {
      sql.update(
          "insert into rowhouse_usage_erased (since_millis, tenant) values (?, ?)",
          nowMillis,
          tenant);
    }
    for (String table : List.of("rowhouse_usage_rows", "rowhouse_usage_corrections")) {
      sql.update(
          "update " + table + " set key_id = '" + KEY + "' where tenant = ? and key_id <> ?",
          tenant,
          KEY);
    }
    Map<Group, Sums> hours = hours(sql, tenant);
    sql.update("delete from rowhouse_usage_hours where tenant = ? and key_id <> ?", tenant, KEY);
    Folding.addHours(sql, tenant, hours);
    Unknowns.forget(sql, tenant);
  }

  private static Map<Group, Sums> hours(Sql sql, String tenant) throws SQLException {
    Map<Group, Sums> hours = new LinkedHashMap<>();
    sql.each(
        "select usage_hour, model, answered_by, "
            + Sums.SUMMED
            + " from rowhouse_usage_hours where tenant = ? and key_id <> ?"
            + " group by usage_hour, model, answered_by",
        row ->
            hours.put(
                new Group(row.getLong(1), row.getString(2), row.getString(3), KEY),
                Sums.read(row, 4)),
        tenant,
        KEY);
    return hours;
  }

  /** How many different key ids the tables have of a tenant. */
  static long keys(Sql sql, String tenant) throws SQLException {
    String keys = " select key_id from %s where tenant = ? and key_id <> '" + KEY + "'";
    return sql.number(
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
  static long attempts(Sql sql, String tenant) throws SQLException {
    return sql.number("select count(*) from rowhouse_usage_unknowns where tenant = ?", tenant);
  }
}
