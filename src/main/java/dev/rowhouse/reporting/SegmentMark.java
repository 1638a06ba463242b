package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
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
  static Map<Long, SegmentMark> lock(Connection connection, String tenant, long from)
      throws SQLException {
    return read(connection, tenant, from, " for update");
  }

  static Map<Long, SegmentMark> read(Connection connection, String tenant) throws SQLException {
    return read(connection, tenant, 0, "");
  }

  private static Map<Long, SegmentMark> read(
      Connection connection, String tenant, long from, String lock) throws SQLException {
    Map<Long, SegmentMark> marks = new TreeMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select segment, seen, sealed, folded, "
                + Sums.COLUMNS
                + ", head from rowhouse_usage_segments where tenant = ? and segment >= ?"
                + lock)) {
      select.setString(1, tenant);
      select.setLong(2, from);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          long segment = rows.getLong(1);
          marks.put(
              segment,
              new SegmentMark(
                  segment,
                  rows.getLong(2),
                  rows.getLong(3),
                  rows.getLong(4),
                  Sums.read(rows, 5),
                  rows.getString(5 + Sums.LENGTH)));
        }
      }
    }
    return marks;
  }

  /** Writes those of the marks that are not as they were. */
  static void write(
      Connection connection,
      String tenant,
      Map<Long, SegmentMark> before,
      Collection<SegmentMark> marks)
      throws SQLException {
    try (PreparedStatement update =
            connection.prepareStatement(
                "update rowhouse_usage_segments set seen = ?, sealed = ?, folded = ?,"
                    + " completed = ?, cancelled = ?, failed = ?, unknown_count = ?,"
                    + " input_tokens = ?, output_tokens = ?, cost_micros = ?, head = ?"
                    + " where tenant = ? and segment = ?");
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into rowhouse_usage_segments (seen, sealed, folded, "
                    + Sums.COLUMNS
                    + ", head, tenant, segment) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      for (SegmentMark mark : marks) {
        SegmentMark old = before.get(mark.segment());
        if (!mark.equals(old)) {
          PreparedStatement statement = old == null ? insert : update;
          mark.set(statement, tenant);
          statement.addBatch();
        }
      }
      insert.executeBatch();
      update.executeBatch();
    }
  }

  private void set(PreparedStatement statement, String tenant) throws SQLException {
    statement.setLong(1, seen);
    statement.setLong(2, sealed);
    statement.setLong(3, folded);
    foldedSums.set(statement, 4);
    statement.setString(4 + Sums.LENGTH, head);
    statement.setString(5 + Sums.LENGTH, tenant);
    statement.setLong(6 + Sums.LENGTH, segment);
  }
}
