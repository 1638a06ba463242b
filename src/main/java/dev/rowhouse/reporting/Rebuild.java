package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import dev.rowhouse.usage.Position;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts what a ledger comes to in place of what the tables have of it. */
final class Rebuild {
  private Rebuild() {}

  /**
   * Replaces all that stands at or before those places; rows of later events stay.
   *
   * @param upTo the sequence number of each segment up to which was read
   */
  static void replace(
      Sql sql,
      TenantId tenant,
      Map<Long, Long> upTo,
      Map<Group, Sums> groups,
      Map<Long, Sums> bySegment,
      List<Located> doubled)
      throws SQLException {
    String name = tenant.value();
    Map<Long, SegmentMark> marks = SegmentMark.lock(sql, name, 0);
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
      sql.update(
          "delete from rowhouse_usage_rows where tenant = ? and segment = ?"
              + " and sequence_number <= ?",
          name,
          segment,
          read);
      after.put(
          segment,
          mark.withSeen(read, null)
              .withSealed(segment < newest ? read : UsageTables.NOT_SEALED)
              .withFolded(read, bySegment.getOrDefault(segment, Sums.NONE)));
    }
    for (String table : List.of("rowhouse_usage_hours", "rowhouse_usage_corrections")) {
      sql.update("delete from " + table + " where tenant = ?", name);
    }
    boolean isErased = Erased.is(sql, name);
    Folding.addHours(sql, name, isErased ? Erased.withoutKeys(groups) : groups);
    correct(sql, name, doubled, isErased);
    SegmentMark.write(sql, name, marks, after.values());
  }

  private static void correct(Sql sql, String tenant, List<Located> doubled, boolean isErased)
      throws SQLException {
    List<@Nullable Object[]> corrections = new ArrayList<>();
    for (Located located : doubled) {
      Group group = Group.of(located.record());
      Position position = located.position();
      corrections.add(
          RowWriter.row(
              tenant,
              position.segment(),
              position.sequence(),
              position.index(),
              isErased ? group.withoutKey() : group,
              Sums.of(located.record()).negated()));
    }
    sql.updateAll(
        "insert into rowhouse_usage_corrections (tenant, segment, sequence_number, part,"
            + " usage_hour, model, answered_by, key_id, "
            + Sums.COLUMNS
            + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        corrections);
  }
}
