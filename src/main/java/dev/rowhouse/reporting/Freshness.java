package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import dev.rowhouse.usage.UsageTag;
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
  static long asOfMillis(Sql sql, long nowMillis) throws SQLException {
    long asOf = nowMillis;
    for (Map.Entry<String, Long> tag : progress(sql).entrySet()) {
      asOf = Math.min(asOf, oldest(sql, tag.getKey(), tag.getValue(), nowMillis));
    }
    return asOf;
  }

  private static long oldest(Sql sql, String tag, long after, long otherwise) throws SQLException {
    Long oldest =
        sql.first(
            """
            select j."write_timestamp" from "event_tag" t
            join "event_journal" j on j."ordering" = t."event_id"
            where t."event_id" > ? and t."tag" = ? order by t."event_id" limit 1
            """,
            row -> row.getLong(1),
            after,
            tag);
    return oldest == null ? otherwise : oldest;
  }

  private static Map<String, Long> progress(Sql sql) throws SQLException {
    Map<String, Long> progress = new HashMap<>();
    UsageTag.all().forEach(tag -> progress.put(tag, 0L));
    sql.each(
        "select tag, journal_offset from rowhouse_usage_progress",
        row -> progress.replace(row.getString(1), row.getLong(2)));
    return progress;
  }

  /** The number of the newest event of the journal. */
  static long newest(Sql sql) throws SQLException {
    return sql.number("select max(\"ordering\") from \"event_journal\"");
  }

  /**
   * Moves the progress of tags that had no event up to a place, so that nobody looks through what
   * others wrote again and again.
   *
   * @param upTo a place that is old enough for every event before it to be committed
   */
  static void skipQuiet(Sql sql, long upTo) throws SQLException {
    for (Map.Entry<String, Long> tag : progress(sql).entrySet()) {
      if (tag.getValue() > 0
          && tag.getValue() < upTo
          && !hasEvents(sql, tag.getKey(), tag.getValue(), upTo)) {
        sql.update(
            "update rowhouse_usage_progress set journal_offset = ?"
                + " where tag = ? and journal_offset = ?",
            upTo,
            tag.getKey(),
            tag.getValue());
      }
    }
  }

  private static boolean hasEvents(Sql sql, String tag, long after, long upTo) throws SQLException {
    return sql.first(
            """
            select 1 from "event_tag" where "event_id" > ? and "event_id" <= ? and "tag" = ? limit 1
            """,
            _ -> true,
            after,
            upTo,
            tag)
        != null;
  }
}
