package dev.rowhouse.reporting;

import dev.rowhouse.journal.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Answers questions in SQL: the database adds up, by index, and ends what takes too long. */
final class SqlAnswers {
  private static final List<String> TABLES =
      List.of("rowhouse_usage_rows", "rowhouse_usage_hours", "rowhouse_usage_corrections");

  private final Duration timeout;

  SqlAnswers(Duration timeout) {
    this.timeout = timeout;
  }

  UsageReports.Answer answer(Sql sql, UsageQuestion question, long nowMillis) throws SQLException {
    long asOf = Freshness.asOfMillis(sql, nowMillis);
    List<UsageReports.Row> rows = rows(sql, question);
    boolean hasMore = rows.size() > question.limit();
    return new UsageReports.Answer(
        hasMore ? rows.subList(0, question.limit()) : rows,
        hasMore,
        question.after() == null ? total(sql, question) : null,
        Instant.ofEpochMilli(asOf),
        Doubts.count(sql, question.tenant()));
  }

  private List<UsageReports.Row> rows(Sql sql, UsageQuestion question) throws SQLException {
    UsageQuestion.Width bucket = question.bucket();
    UsageQuestion.Cursor after = question.after();
    Query query = new Query();
    query.append("select b, g1, g2, " + Sums.SUMMED + " from (");
    union(query, question, bucket.sql() + " as b, %s as g1, %s as g2, " + Sums.COLUMNS);
    query.append(") u");
    if (after != null && bucket != UsageQuestion.Width.MONTH) {
      long number = bucket.number(after.start());
      query.append(" where b > ? or (b = ? and (g1 > ? or (g1 = ? and g2 > ?)))");
      query.with(number, number, after.first(), after.first(), after.second());
    }
    query.append(" group by b, g1, g2 order by b, g1, g2");
    if (bucket != UsageQuestion.Width.MONTH) {
      query.append(" limit " + (question.limit() + 1));
    }
    return query.read(
        sql,
        found ->
            bucket == UsageQuestion.Width.MONTH ? months(found, question) : plain(found, bucket));
  }

  private static List<UsageReports.Row> plain(ResultSet found, UsageQuestion.Width bucket)
      throws SQLException {
    List<UsageReports.Row> rows = new ArrayList<>();
    while (found.next()) {
      rows.add(
          new UsageReports.Row(
              bucket.start(found.getLong(1)),
              found.getString(2),
              found.getString(3),
              Sums.read(found, 4)));
    }
    return rows;
  }

  private record Pair(String first, String second) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byFirst = first.compareTo(other.first);
      return byFirst != 0 ? byFirst : second.compareTo(other.second);
    }
  }

  /** Days come in order, so one month is held at a time. */
  private static List<UsageReports.Row> months(ResultSet days, UsageQuestion question)
      throws SQLException {
    List<UsageReports.Row> rows = new ArrayList<>();
    Map<Pair, Sums> month = new TreeMap<>();
    Instant start = Instant.MIN;
    while (rows.size() <= question.limit() && days.next()) {
      Instant next = question.bucket().start(days.getLong(1));
      if (!next.equals(start)) {
        end(start, month, question.after(), rows);
        start = next;
      }
      month.merge(new Pair(days.getString(2), days.getString(3)), Sums.read(days, 4), Sums::plus);
    }
    end(start, month, question.after(), rows);
    return rows.size() > question.limit() ? rows.subList(0, question.limit() + 1) : rows;
  }

  private static void end(
      Instant start,
      Map<Pair, Sums> month,
      UsageQuestion.@Nullable Cursor after,
      List<UsageReports.Row> rows) {
    month.forEach(
        (pair, sums) -> {
          boolean isAfter =
              after == null
                  || start.isAfter(after.start())
                  || pair.compareTo(new Pair(after.first(), after.second())) > 0;
          if (isAfter) {
            rows.add(new UsageReports.Row(start, pair.first(), pair.second(), sums));
          }
        });
    month.clear();
  }

  private Sums total(Sql sql, UsageQuestion question) throws SQLException {
    Query query = new Query();
    query.append("select " + Sums.SUMMED + " from (");
    union(query, question, Sums.COLUMNS);
    query.append(") u");
    return query.read(sql, found -> found.next() ? Sums.read(found, 1) : Sums.NONE);
  }

  private static void union(Query query, UsageQuestion question, String columns) {
    String chosen = columns.formatted(question.groupBy().first(), question.groupBy().second());
    String or = "";
    for (String table : TABLES) {
      query.append(or + "select " + chosen + " from " + table);
      query.append(" where usage_hour >= ? and usage_hour < ?");
      query.with(question.hourFrom(), question.hourTo());
      filter(query, "tenant", question.tenant());
      filter(query, "model", question.model());
      filter(query, "answered_by", question.answeredBy());
      filter(query, "key_id", question.key());
      or = " union all ";
    }
  }

  private static void filter(Query query, String column, @Nullable String value) {
    if (value != null) {
      query.append(" and " + column + " = ?");
      query.with(value);
    }
  }

  /** A statement that is put together, with its values. */
  private final class Query {
    private final StringBuilder text = new StringBuilder();
    private final List<Object> values = new ArrayList<>();

    void append(String part) {
      text.append(part);
    }

    void with(Object... more) {
      values.addAll(List.of(more));
    }

    <T> T read(Sql sql, Sql.Rows<T> rows) throws SQLException {
      return sql.read(text.toString(), timeout, rows, values.toArray());
    }
  }
}
