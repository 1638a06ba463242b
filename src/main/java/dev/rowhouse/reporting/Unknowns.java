package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The attempts of a tenant that were given up: few, and kept for some days. */
final class Unknowns {
  private final Sql sql;
  private final String tenant;

  Unknowns(Sql sql, String tenant) {
    this.sql = sql;
    this.tenant = tenant;
  }

  /** Remembers attempts with their times. */
  void add(Map<String, Long> attempts) throws SQLException {
    if (attempts.isEmpty()) {
      return;
    }
    Set<String> known = all();
    List<@Nullable Object[]> added = new ArrayList<>();
    attempts.forEach(
        (attempt, timeMillis) -> {
          if (!known.contains(attempt)) {
            added.add(new Object[] {tenant, attempt, timeMillis});
          }
        });
    sql.updateAll(
        "insert into rowhouse_usage_unknowns (tenant, attempt, time_millis) values (?, ?, ?)",
        added);
  }

  boolean hasAny(Set<String> attempts) throws SQLException {
    if (attempts.isEmpty()) {
      return false;
    }
    return all().stream().anyMatch(attempts::contains);
  }

  private Set<String> all() throws SQLException {
    Set<String> known = new HashSet<>();
    sql.each(
        "select attempt from rowhouse_usage_unknowns where tenant = ?",
        row -> known.add(row.getString(1)),
        tenant);
    return known;
  }

  /** Of that tenant all. A late record of one is then found by the next pass. */
  static void forget(Sql sql, String tenant) throws SQLException {
    sql.update("delete from rowhouse_usage_unknowns where tenant = ?", tenant);
  }

  static void forget(Sql sql, long beforeMillis) throws SQLException {
    sql.update("delete from rowhouse_usage_unknowns where time_millis < ?", beforeMillis);
  }
}
