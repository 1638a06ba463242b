package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How far a segment is in the tables.
 *
 * @param seen the highest sequence number that was taken in
 * @param sealed the least that a newer segment had read of it when it was opened
 * @param folded the sequence number up to which rows were folded
 * @param foldedSums what was folded
 * @param head the hash of the event {@code seen}; absent when it has none
 */
record SegmentMark(
    long segment, long seen, long sealed, long folded, Sums foldedSums, @Nullable String head) {

  static SegmentMark fresh(long segment, long sealed) {
    return new SegmentMark(segment, 0, sealed, 0, Sums.NONE, null);
  }

  SegmentMark withSeen(long sequence, @Nullable String hash) {
    return sequence > seen
        ? new SegmentMark(segment, sequence, sealed, folded, foldedSums, hash)
        : this;
  }

  SegmentMark withSealed(long read) {
    return read < sealed ? new SegmentMark(segment, seen, read, folded, foldedSums, head) : this;
  }

  SegmentMark withFolded(long sequence, Sums sums) {
    return new SegmentMark(segment, seen, sealed, sequence, sums, head);
  }

  /**
   * The marks of a tenant's segments from that number on; whoever holds them changes these segments
   * alone.
   */
  static Map<Long, SegmentMark> lock(Sql sql, String tenant, long from) throws SQLException {
    Map<Long, SegmentMark> marks = new TreeMap<>();
    sql.each(
        "select segment, seen, sealed, folded, "
            + Sums.COLUMNS
            + ", head from rowhouse_usage_segments where tenant = ? and segment >= ? for update",
        row ->
            marks.put(
                row.getLong(1),
                new SegmentMark(
                    row.getLong(1),
                    row.getLong(2),
                    row.getLong(3),
                    row.getLong(4),
                    Sums.read(row, 5),
                    row.getString(5 + Sums.LENGTH))),
        tenant,
        from);
    return marks;
  }

  /** Writes those of the marks that are not as they were. */
  static void write(
      Sql sql, String tenant, Map<Long, SegmentMark> before, Collection<SegmentMark> marks)
      throws SQLException {
    List<@Nullable Object[]> fresh = new ArrayList<>();
    List<@Nullable Object[]> changed = new ArrayList<>();
    for (SegmentMark mark : marks) {
      SegmentMark old = before.get(mark.segment());
      if (!mark.equals(old)) {
        (old == null ? fresh : changed).add(mark.row(tenant));
      }
    }
    sql.updateAll(
        "insert into rowhouse_usage_segments (seen, sealed, folded, "
            + Sums.COLUMNS
            + ", head, tenant, segment) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        fresh);
    sql.updateAll(
        "update rowhouse_usage_segments set seen = ?, sealed = ?, folded = ?,"
            + " completed = ?, cancelled = ?, failed = ?, unknown_count = ?,"
            + " input_tokens = ?, output_tokens = ?, cost_micros = ?, head = ?"
            + " where tenant = ? and segment = ?",
        changed);
  }

  private @Nullable Object[] row(String tenant) {
    return foldedSums.row(List.of(seen, sealed, folded), head, tenant, segment);
  }
}
