package dev.rowhouse.reporting;

import dev.rowhouse.usage.UsageTag;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * How far the tables are behind the journal: whatever was written before {@link #asOfMillis} and
 * has a tag is in them.
 */
final class Freshness {
  private Freshness() {}

  /** The time of the oldest event that is not in the tables yet; now when there is none. */
  static long asOfMillis(Connection connection, long nowMillis) throws SQLException {
    long asOf = nowMillis;
    for (Map.Entry<String, Long> tag : progress(connection).entrySet()) {
      asOf = Math.min(asOf, oldest(connection, tag.getKey(), tag.getValue(), nowMillis));
    }
    return asOf;
  }

  private static long oldest(Connection connection, String tag, long after, long otherwise)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            """
            select j."write_timestamp" from "event_tag" t
            join "event_journal" j on j."ordering" = t."event_id"
            where t."event_id" > ? and t."tag" = ? order by t."event_id" limit 1
            """)) {
      select.setLong(1, after);
      select.setString(2, tag);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : otherwise;
      }
    }
  }

  private static Map<String, Long> progress(Connection connection) throws SQLException {
    Map<String, Long> progress = new HashMap<>();
    UsageTag.all().forEach(tag -> progress.put(tag, 0L));
    try (PreparedStatement select =
            connection.prepareStatement("select tag, journal_offset from rowhouse_usage_progress");
        ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        progress.replace(rows.getString(1), rows.getLong(2));
      }
    }
    return progress;
  }

  /** The number of the newest event of the journal. */
  static long newest(Connection connection) throws SQLException {
    try (PreparedStatement select =
            connection.prepareStatement("select max(\"ordering\") from \"event_journal\"");
        ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /**
   * Moves the progress of tags that had no event up to a place, so that nobody looks through what
   * others wrote again and again.
   *
   * @param upTo a place that is old enough for every event before it to be committed
   */
  static void skipQuiet(Connection connection, long upTo) throws SQLException {
    for (Map.Entry<String, Long> tag : progress(connection).entrySet()) {
      if (tag.getValue() > 0
          && tag.getValue() < upTo
          && !hasEvents(connection, tag.getKey(), tag.getValue(), upTo)) {
        try (PreparedStatement update =
            connection.prepareStatement(
                "update rowhouse_usage_progress set journal_offset = ?"
                    + " where tag = ? and journal_offset = ?")) {
          update.setLong(1, upTo);
          update.setString(2, tag.getKey());
          update.setLong(3, tag.getValue());
          update.executeUpdate();
        }
      }
    }
  }

  private static boolean hasEvents(Connection connection, String tag, long after, long upTo)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            """
            select 1 from "event_tag" where "event_id" > ? and "event_id" <= ? and "tag" = ? limit 1
            """)) {
      select.setLong(1, after);
      select.setLong(2, upTo);
      select.setString(3, tag);
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    }
  }
}
