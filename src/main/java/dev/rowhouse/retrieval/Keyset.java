package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The part of a query that pages by (created_at, id): the rows after the cursor's, in the wanted
 * order, one more than the limit.
 *
 * @param createdAtMillis the time of the last row before; null for the first page
 */
record Keyset(@Nullable Long createdAtMillis, PageRequest page) {
  /** Behind the row that the page's cursor names; null when there is none. */
  static @Nullable Keyset of(Sql sql, String table, String tenant, PageRequest page)
      throws SQLException {
    if (page.after() == null) {
      return new Keyset(null, page);
    }
    Long createdAt =
        sql.first(
            "SELECT created_at FROM " + table + " WHERE tenant = ? AND id = ?",
            row -> row.getLong(1),
            tenant,
            page.after());
    return createdAt == null ? null : new Keyset(createdAt, page);
  }

  /** Ends a query whose WHERE is open; its arguments come from {@link #arguments}. */
  String clause(String timeColumn, String idColumn) {
    String order = page.ascending() ? "" : " DESC";
    String beyond = page.ascending() ? ">" : "<";
    String after =
        createdAtMillis == null
            ? ""
            : " AND (%1$s %3$s ? OR (%1$s = ? AND %2$s %3$s ?))"
                .formatted(timeColumn, idColumn, beyond);
    return "%s ORDER BY %s%s, %s%s LIMIT ?".formatted(after, timeColumn, order, idColumn, order);
  }

  @Nullable Object[] arguments(Object... before) {
    List<@Nullable Object> all = new ArrayList<>(Arrays.asList(before));
    if (createdAtMillis != null) {
      all.add(createdAtMillis);
      all.add(createdAtMillis);
      all.add(page.after());
    }
    all.add(page.limit() + 1);
    return all.toArray();
  }
}
