package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.SegmentId;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the tables say of a tenant at one moment, and up to where its ledger has to be read to be
 * compared with that.
 *
 * @param bySegment the sums of all that was taken in, by segment
 * @param total what a query would answer: rows, hours and corrections
 * @param hours what was folded, as the hours have it
 * @param upTo the sequence number of each segment up to which the tables should have everything
 * @param doubt why the sums are known to be in doubt; absent when they are not
 * @param version of the corrections, where that is no transaction's business; absent for none
 */
record TenantFigures(
    Map<Long, Sums> bySegment,
    Sums total,
    Sums hours,
    Sums folded,
    Map<Long, Long> upTo,
    @Nullable String doubt,
    @Nullable UUID version) {

  /**
   * Reads them under the locks of the tenant's segments.
   *
   * @param claimed the segments that the Fence knows
   * @param dueMillis what was written before that should be in the tables
   */
  static TenantFigures read(Sql sql, TenantId tenant, Collection<Long> claimed, long dueMillis)
      throws SQLException {
    String name = tenant.value();
    Map<Long, SegmentMark> marks = SegmentMark.lock(sql, name, 0);
    Map<Long, Sums> bySegment = new TreeMap<>();
    Sums folded = Sums.NONE;
    for (SegmentMark mark : marks.values()) {
      bySegment.put(mark.segment(), mark.foldedSums());
      folded = folded.plus(mark.foldedSums());
    }
    Sums rows = Sums.NONE;
    for (Map.Entry<Long, Sums> entry : rows(sql, name).entrySet()) {
      bySegment.merge(entry.getKey(), entry.getValue(), Sums::plus);
      rows = rows.plus(entry.getValue());
    }
    Sums hours = sum(sql, "rowhouse_usage_hours", name);
    Sums corrections = sum(sql, "rowhouse_usage_corrections", name);
    Map<Long, Long> upTo = new TreeMap<>();
    for (long segment : claimed) {
      SegmentMark mark = marks.get(segment);
      long seen = mark == null ? 0 : mark.seen();
      upTo.put(segment, due(sql, new SegmentId(tenant, segment), seen, dueMillis));
    }
    marks.values().forEach(mark -> upTo.putIfAbsent(mark.segment(), mark.seen()));
    return new TenantFigures(
        bySegment,
        rows.plus(hours).plus(corrections),
        hours,
        folded,
        upTo,
        Doubts.reason(sql, name),
        null);
  }

  private static Map<Long, Sums> rows(Sql sql, String tenant) throws SQLException {
    Map<Long, Sums> sums = new TreeMap<>();
    sql.each(
        "select segment, "
            + Sums.SUMMED
            + " from rowhouse_usage_rows where tenant = ? group by segment",
        row -> sums.put(row.getLong(1), Sums.read(row, 2)),
        tenant);
    return sums;
  }

  private static Sums sum(Sql sql, String table, String tenant) throws SQLException {
    Sums sum =
        sql.first(
            "select " + Sums.SUMMED + " from " + table + " where tenant = ?",
            row -> Sums.read(row, 1),
            tenant);
    return sum == null ? Sums.NONE : sum;
  }

  private static long due(Sql sql, SegmentId id, long seen, long dueMillis) throws SQLException {
    return Math.max(
        seen,
        sql.number(
            "select max(\"sequence_number\") from \"event_journal\" where \"persistence_id\" = ?"
                + " and \"sequence_number\" > ? and \"write_timestamp\" < ?",
            id.persistenceId(),
            seen,
            dueMillis));
  }
}
