package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tenants in doubt on Cassandra: a row for each time that doubt came up, so that to end the old
 * ones leaves the new ones.
 */
final class CqlDoubts {
  /** They are all in one partition. */
  private static final int SHELF = 0;

  /** More doubts than that are looked at when some of these have ended. */
  private static final int DOUBTS_MAX = 10_000;

  private CqlDoubts() {}

  static void add(Cassandra cassandra, String tenant, String reason, long nowMillis) {
    cassandra.execute(
        "insert into rowhouse_usage_doubts (shelf, tenant, since_millis, reason)"
            + " values (?, ?, ?, ?)",
        SHELF,
        tenant,
        nowMillis,
        Doubts.cut(reason));
  }

  static @Nullable String reason(Cassandra cassandra, String tenant) {
    Row row =
        cassandra.one(
            "select reason from rowhouse_usage_doubts where shelf = ? and tenant = ?"
                + " order by tenant desc, since_millis desc limit 1",
            SHELF,
            tenant);
    return row == null ? null : row.getString(0);
  }

  static void end(Cassandra cassandra, String tenant, long readAtMillis) {
    // A doubt is rare, and to delete what is not there would leave a mark for each tenant.
    if (reason(cassandra, tenant) != null) {
      cassandra.execute(
          "delete from rowhouse_usage_doubts where shelf = ? and tenant = ? and since_millis <= ?",
          SHELF,
          tenant,
          readAtMillis);
    }
  }

  static List<String> tenants(Cassandra cassandra, int max) {
    return since(cassandra).entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .limit(max)
        .map(Map.Entry::getKey)
        .toList();
  }

  static int count(Cassandra cassandra, @Nullable String tenant) {
    if (tenant != null) {
      return reason(cassandra, tenant) == null ? 0 : 1;
    }
    return since(cassandra).size();
  }

  private static Map<String, Long> since(Cassandra cassandra) {
    Map<String, Long> since = new TreeMap<>();
    for (Row row :
        cassandra.execute(
            "select tenant, since_millis from rowhouse_usage_doubts where shelf = ? limit ?",
            SHELF,
            DOUBTS_MAX)) {
      since.merge(String.valueOf(row.getString(0)), row.getLong(1), Math::min);
    }
    return since;
  }
}
