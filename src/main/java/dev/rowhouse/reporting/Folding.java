package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Adds old rows up by hour: of a segment, all rows up to a sequence number at once, in the
 * transaction that deletes them and says how far the segment is folded. So the rows are those of
 * some hours, and the hours are at most groups times hours, however many requests there were.
 */
final class Folding {
  private Folding() {}

  /** Segments of one tenant and up to where they can be folded. */
  record Due(String tenant, Map<Long, Long> upTo) {}

  /** What has rows of hours before that one, some segments at a time. */
  static Map<String, Due> due(Sql sql, long beforeHour, int segmentsMax) throws SQLException {
    Map<String, Due> due = new LinkedHashMap<>();
    sql.each(
        "select tenant, segment, max(sequence_number) from rowhouse_usage_rows"
            + " where usage_hour < ? group by tenant, segment order by tenant, segment"
            + " limit ?",
        row ->
            due.computeIfAbsent(row.getString(1), tenant -> new Due(tenant, new LinkedHashMap<>()))
                .upTo()
                .put(row.getLong(2), row.getLong(3)),
        beforeHour,
        segmentsMax);
    return due;
  }

  static void fold(Sql sql, Due due) throws SQLException {
    Map<Long, SegmentMark> marks = SegmentMark.lock(sql, due.tenant(), 0);
    boolean isErased = Erased.is(sql, due.tenant());
    Map<Long, SegmentMark> changed = new LinkedHashMap<>();
    for (Map.Entry<Long, Long> entry : due.upTo().entrySet()) {
      SegmentMark mark = marks.get(entry.getKey());
      if (mark != null && entry.getValue() > mark.folded()) {
        Map<Group, Sums> taken = take(sql, due.tenant(), mark.segment(), entry.getValue());
        Map<Group, Sums> sums = isErased ? Erased.withoutKeys(taken) : taken;
        addHours(sql, due.tenant(), sums);
        Sums all = sums.values().stream().reduce(mark.foldedSums(), Sums::plus);
        changed.put(mark.segment(), mark.withFolded(entry.getValue(), all));
      }
    }
    SegmentMark.write(sql, due.tenant(), marks, changed.values());
  }

  private static Map<Group, Sums> take(Sql sql, String tenant, long segment, long upTo)
      throws SQLException {
    String rows =
        " from rowhouse_usage_rows where tenant = ? and segment = ? and sequence_number <= ?";
    Map<Group, Sums> sums = new LinkedHashMap<>();
    sql.each(
        "select usage_hour, model, answered_by, key_id, "
            + Sums.SUMMED
            + rows
            + " group by usage_hour, model, answered_by, key_id",
        row ->
            sums.put(
                new Group(row.getLong(1), row.getString(2), row.getString(3), row.getString(4)),
                Sums.read(row, 5)),
        tenant,
        segment,
        upTo);
    sql.update("delete" + rows, tenant, segment, upTo);
    return sums;
  }

  /** Each group has a row of its own, so those that are new may come after all the others. */
  static void addHours(Sql sql, String tenant, Map<Group, Sums> sums) throws SQLException {
    List<@Nullable Object[]> hours = new ArrayList<>();
    sums.forEach(
        (group, sum) ->
            hours.add(
                sum.row(
                    List.of(),
                    tenant,
                    group.hour(),
                    group.model(),
                    group.answeredBy(),
                    group.keyId())));
    int[] known =
        sql.updateAll(
            "update rowhouse_usage_hours set completed = completed + ?,"
                + " cancelled = cancelled + ?, failed = failed + ?,"
                + " unknown_count = unknown_count + ?, input_tokens = input_tokens + ?,"
                + " output_tokens = output_tokens + ?, cost_micros = cost_micros + ?"
                + " where tenant = ? and usage_hour = ? and model = ? and answered_by = ?"
                + " and key_id = ?",
            hours);
    List<@Nullable Object[]> added = new ArrayList<>();
    for (int at = 0; at < known.length; at++) {
      if (known[at] == 0) {
        added.add(hours.get(at));
      }
    }
    sql.updateAll(
        "insert into rowhouse_usage_hours ("
            + Sums.COLUMNS
            + ", tenant, usage_hour, model, answered_by, key_id)"
            + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        added);
  }
}
