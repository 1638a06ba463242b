package dev.rowhouse.reporting;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions from Cassandra: the partitions of a tenant are read and added up here, a month
 * at a time. A question of all tenants reads one after another those that have usage of its months.
 */
final class CqlAnswers {
  private final Cassandra cassandra;
  private final CqlHours hours;
  private final CqlCorrections corrections;
  private final ReportingSettings settings;

  CqlAnswers(
      Cassandra cassandra, CqlHours hours, CqlCorrections corrections, ReportingSettings settings) {
    this.cassandra = cassandra;
    this.hours = hours;
    this.corrections = corrections;
    this.settings = settings;
  }

  UsageReports.Answer answer(UsageQuestion question, long asOfMillis) {
    long endNanos = System.nanoTime() + settings.queryTimeout().toNanos();
    Page page = new Page(question);
    String one = question.tenant();
    for (String tenant : one == null ? tenants(page.from, page.to, endNanos) : List.of(one)) {
      requireTime(endNanos);
      hours.each(
          tenant, page.from, page.to, (place, sums) -> page.add(tenant, place.group(), sums));
      corrections.each(tenant, (group, sums) -> page.add(tenant, group, sums));
    }
    List<UsageReports.Row> rows = page.rows();
    boolean hasMore = rows.size() > question.limit();
    return new UsageReports.Answer(
        hasMore ? rows.subList(0, question.limit()) : rows,
        hasMore,
        question.after() == null ? page.total : null,
        Instant.ofEpochMilli(asOfMillis),
        CqlDoubts.count(cassandra, one));
  }

  private void requireTime(long endNanos) {
    if (System.nanoTime() > endNanos) {
      throw new JournalException(
          "a question took longer than " + settings.queryTimeout().toSeconds() + " s", null);
    }
  }

  private Collection<String> tenants(long from, long to, long endNanos) {
    TreeSet<String> tenants = new TreeSet<>();
    for (int month = CqlHours.month(from); month <= CqlHours.month(to - 1); month++) {
      requireTime(endNanos);
      for (int bucket = 0; bucket < CqlFolding.BUCKETS; bucket++) {
        for (Row row :
            cassandra.execute(
                "select tenant from rowhouse_usage_tenants where month = ? and bucket = ?",
                month,
                bucket)) {
          tenants.add(String.valueOf(row.getString(0)));
          if (tenants.size() > settings.tenantsMax()) {
            throw new UsageReports.TooMany(settings.tenantsMax());
          }
        }
      }
    }
    return tenants;
  }

  private record Key(Instant start, String first, String second) {
    static final Comparator<Key> ORDER =
        Comparator.comparing(Key::start).thenComparing(Key::first).thenComparing(Key::second);
  }

  /** The first rows after the cursor; of others that are met only the total is kept. */
  private static final class Page {
    private final UsageQuestion question;
    private final @Nullable Key after;
    private final NavigableMap<Key, Sums> rows = new TreeMap<>(Key.ORDER);
    private final long from;
    private final long to;
    private Sums total = Sums.NONE;

    Page(UsageQuestion question) {
      this.question = question;
      UsageQuestion.Cursor cursor = question.after();
      this.after = cursor == null ? null : new Key(cursor.start(), cursor.first(), cursor.second());
      this.from = question.hourFrom();
      this.to = question.hourTo();
    }

    void add(String tenant, Group group, Sums sums) {
      boolean isMeant =
          group.hour() >= from
              && group.hour() < to
              && matches(question.model(), group.model())
              && matches(question.answeredBy(), group.answeredBy())
              && matches(question.key(), group.keyId());
      if (!isMeant) {
        return;
      }
      total = total.plus(sums);
      Key key = key(tenant, group);
      if (after == null || Key.ORDER.compare(key, after) > 0) {
        rows.merge(key, sums, Sums::plus);
        if (rows.size() > question.limit() + 1) {
          rows.pollLastEntry();
        }
      }
    }

    private static boolean matches(@Nullable String asked, String found) {
      return asked == null || asked.equals(found);
    }

    private Key key(String tenant, Group group) {
      Instant start =
          question.bucket().startOf(Instant.ofEpochMilli(group.hour() * Group.HOUR_MILLIS));
      return switch (question.groupBy()) {
        case NOTHING -> new Key(start, "", "");
        case TENANT -> new Key(start, tenant, "");
        case MODEL -> new Key(start, group.model(), "");
        case ANSWERED_BY -> new Key(start, group.answeredBy(), "");
        case KEY -> new Key(start, tenant, group.keyId());
      };
    }

    List<UsageReports.Row> rows() {
      List<UsageReports.Row> list = new ArrayList<>();
      rows.forEach(
          (key, sums) -> list.add(new UsageReports.Row(key.start, key.first, key.second, sums)));
      return list;
    }
  }
}
