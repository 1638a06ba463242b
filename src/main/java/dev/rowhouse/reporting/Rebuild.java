package dev.rowhouse.reporting;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Puts what a ledger comes to in place of what the tables have of it. */
final class Rebuild {
  private Rebuild() {}

  /**
   * Replaces all that stands at or before those places; rows of later events stay.
   *
   * @param upTo the sequence number of each segment up to which was read
   */
  static void replace(
      Connection connection,
      TenantId tenant,
      Map<Long, Long> upTo,
      Map<Group, Sums> groups,
      Map<Long, Sums> bySegment,
      List<Located> doubled)
      throws SQLException {
    String name = tenant.value();
    Map<Long, SegmentMark> marks = SegmentMark.lock(connection, name, 0);
    Map<Long, SegmentMark> after = new HashMap<>();
    long newest = upTo.keySet().stream().mapToLong(Long::longValue).max().orElse(0);
    for (Map.Entry<Long, Long> entry : upTo.entrySet()) {
      long segment = entry.getKey();
      long read = entry.getValue();
      SegmentMark mark =
          marks.getOrDefault(segment, SegmentMark.fresh(segment, UsageTables.NOT_SEALED));
      if (mark.folded() > read) {
        throw new SQLException(
            "segment %d of %s was folded up to %d while it was read up to %d"
                .formatted(segment, name, mark.folded(), read));
      }
      deleteRows(connection, name, segment, read);
      after.put(
          segment,
          mark.withSeen(read, null)
              .withSealed(segment < newest ? read : UsageTables.NOT_SEALED)
              .withFolded(read, bySegment.getOrDefault(segment, Sums.NONE)));
    }
    for (String table : List.of("rowhouse_usage_hours", "rowhouse_usage_corrections")) {
      try (PreparedStatement delete =
          connection.prepareStatement("delete from " + table + " where tenant = ?")) {
        delete.setString(1, name);
        delete.executeUpdate();
      }
    }
    boolean isErased = Erased.is(connection, name);
    Folding.addHours(connection, name, isErased ? Erased.withoutKeys(groups) : groups);
    correct(connection, name, doubled, isErased);
    SegmentMark.write(connection, name, marks, after.values());
  }

  private static void deleteRows(Connection connection, String tenant, long segment, long upTo)
      throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement(
            "delete from rowhouse_usage_rows where tenant = ? and segment = ?"
                + " and sequence_number <= ?")) {
      delete.setString(1, tenant);
      delete.setLong(2, segment);
      delete.setLong(3, upTo);
      delete.executeUpdate();
    }
  }

  private static void correct(
      Connection connection, String tenant, List<Located> doubled, boolean isErased)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into rowhouse_usage_corrections (tenant, segment, sequence_number, part,"
                + " usage_hour, model, answered_by, key_id, "
                + Sums.COLUMNS
                + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      for (Located located : doubled) {
        Group group = Group.of(located.record());
        RowWriter.set(
            insert,
            tenant,
            located.position().segment(),
            located.position().sequence(),
            located.position().index(),
            isErased ? group.withoutKey() : group);
        Sums.of(located.record()).negated().set(insert, 9);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }
}
