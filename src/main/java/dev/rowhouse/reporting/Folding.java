package dev.rowhouse.reporting;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;

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
  static Map<String, Due> due(Connection connection, long beforeHour, int segmentsMax)
      throws SQLException {
    Map<String, Due> due = new LinkedHashMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "select tenant, segment, max(sequence_number) from rowhouse_usage_rows"
                + " where usage_hour < ? group by tenant, segment order by tenant, segment"
                + " limit ?")) {
      select.setLong(1, beforeHour);
      select.setInt(2, segmentsMax);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          due.computeIfAbsent(rows.getString(1), tenant -> new Due(tenant, new LinkedHashMap<>()))
              .upTo()
              .put(rows.getLong(2), rows.getLong(3));
        }
      }
    }
    return due;
  }

  static void fold(Connection connection, Due due) throws SQLException {
    Map<Long, SegmentMark> marks = SegmentMark.lock(connection, due.tenant(), 0);
    boolean isErased = Erased.is(connection, due.tenant());
    Map<Long, SegmentMark> changed = new LinkedHashMap<>();
    for (Map.Entry<Long, Long> entry : due.upTo().entrySet()) {
      SegmentMark mark = marks.get(entry.getKey());
      if (mark != null && entry.getValue() > mark.folded()) {
        Map<Group, Sums> taken = take(connection, due.tenant(), mark.segment(), entry.getValue());
        Map<Group, Sums> sums = isErased ? Erased.withoutKeys(taken) : taken;
        addHours(connection, due.tenant(), sums);
        Sums all = sums.values().stream().reduce(mark.foldedSums(), Sums::plus);
        changed.put(mark.segment(), mark.withFolded(entry.getValue(), all));
      }
    }
    SegmentMark.write(connection, due.tenant(), marks, changed.values());
  }

  private static Map<Group, Sums> take(
      Connection connection, String tenant, long segment, long upTo) throws SQLException {
    String rows =
        " from rowhouse_usage_rows where tenant = ? and segment = ? and sequence_number <= ?";
    Map<Group, Sums> sums = new LinkedHashMap<>();
    try (PreparedStatement select =
            connection.prepareStatement(
                "select usage_hour, model, answered_by, key_id, "
                    + Sums.SUMMED
                    + rows
                    + " group by usage_hour, model, answered_by, key_id");
        PreparedStatement delete = connection.prepareStatement("delete" + rows)) {
      for (PreparedStatement statement : java.util.List.of(select, delete)) {
        statement.setString(1, tenant);
        statement.setLong(2, segment);
        statement.setLong(3, upTo);
      }
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          sums.put(
              new Group(
                  found.getLong(1), found.getString(2), found.getString(3), found.getString(4)),
              Sums.read(found, 5));
        }
      }
      delete.executeUpdate();
    }
    return sums;
  }

  static void addHours(Connection connection, String tenant, Map<Group, Sums> sums)
      throws SQLException {
    try (PreparedStatement update =
            connection.prepareStatement(
                "update rowhouse_usage_hours set completed = completed + ?,"
                    + " cancelled = cancelled + ?, failed = failed + ?,"
                    + " unknown_count = unknown_count + ?, input_tokens = input_tokens + ?,"
                    + " output_tokens = output_tokens + ?, cost_micros = cost_micros + ?"
                    + " where tenant = ? and usage_hour = ? and model = ? and answered_by = ?"
                    + " and key_id = ?");
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into rowhouse_usage_hours ("
                    + Sums.COLUMNS
                    + ", tenant, usage_hour, model, answered_by, key_id)"
                    + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      for (Map.Entry<Group, Sums> entry : sums.entrySet()) {
        if (execute(update, tenant, entry) == 0) {
          execute(insert, tenant, entry);
        }
      }
    }
  }

  private static int execute(
      PreparedStatement statement, String tenant, Map.Entry<Group, Sums> entry)
      throws SQLException {
    entry.getValue().set(statement, 1);
    statement.setString(Sums.LENGTH + 1, tenant);
    statement.setLong(Sums.LENGTH + 2, entry.getKey().hour());
    statement.setString(Sums.LENGTH + 3, entry.getKey().model());
    statement.setString(Sums.LENGTH + 4, entry.getKey().answeredBy());
    statement.setString(Sums.LENGTH + 5, entry.getKey().keyId());
    return statement.executeUpdate();
  }
}
