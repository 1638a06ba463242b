package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tables on SQL: each call is one transaction, under the locks of the tenant's segments. */
final class SqlUsageStore implements UsageStore {
  private final Database database;
  private final ReportingSettings settings;
  private final SqlAnswers answers;

  /** The newest event of the journal when this was last tidied. */
  private volatile long newestBefore;

  SqlUsageStore(Database database, ReportingSettings settings) {
    UsageTables.create(database);
    this.database = database;
    this.settings = settings;
    this.answers = new SqlAnswers(settings.queryTimeout());
  }

  Database database() {
    return database;
  }

  @Override
  public void write(String tenant, List<Placed> events, InstantSource clock) {
    run(
        "write the usage of " + tenant,
        sql -> RowWriter.write(sql, tenant, events, clock.millis()));
  }

  @Override
  public UsageReports.Answer answer(UsageQuestion question, long nowMillis) {
    return read("answer a question about usage", sql -> answers.answer(sql, question, nowMillis));
  }

  @Override
  public long asOfMillis(long nowMillis) {
    return read(
        "look how far the tables of usage are", sql -> Freshness.asOfMillis(sql, nowMillis));
  }

  @Override
  public List<String> doubtful(int max) {
    return read("read the doubts", sql -> Doubts.tenants(sql, max));
  }

  @Override
  public void endDoubt(TenantId tenant, long readAtMillis) {
    run("end the doubt about " + tenant, sql -> Doubts.end(sql, tenant.value(), readAtMillis));
  }

  @Override
  public TenantFigures figures(TenantId tenant, Collection<Long> claimed, long nowMillis) {
    return read(
        "read the usage of " + tenant,
        sql ->
            TenantFigures.read(
                sql,
                tenant,
                claimed,
                Freshness.asOfMillis(sql, nowMillis) - settings.grace().toMillis()));
  }

  @Override
  public void rebuild(
      TenantId tenant,
      TenantFigures figures,
      Map<Long, Map<Group, Sums>> bySegment,
      List<Located> doubled,
      long readAtMillis) {
    Map<Group, Sums> groups = new HashMap<>();
    Map<Long, Sums> sums = new HashMap<>();
    bySegment.forEach(
        (segment, of) ->
            of.forEach(
                (group, sum) -> {
                  groups.merge(group, sum, Sums::plus);
                  sums.merge(segment, sum, Sums::plus);
                }));
    run(
        "rebuild the usage of " + tenant,
        sql -> {
          Rebuild.replace(sql, tenant, figures.upTo(), groups, sums, doubled);
          Doubts.end(sql, tenant.value(), readAtMillis);
        });
  }

  @Override
  public void tidy(Instant now) {
    long quietUpTo = newestBefore;
    run(
        "look after the tables of usage",
        sql -> {
          newestBefore = Freshness.newest(sql);
          Freshness.skipQuiet(sql, quietUpTo);
          Unknowns.forget(sql, now.minus(settings.unknownKept()).toEpochMilli());
        });
  }

  @Override
  public List<Fold> due(long beforeHour, int max) {
    return read("find what to fold", sql -> Folding.due(sql, beforeHour, max)).values().stream()
        .map(due -> new Fold(due.tenant(), () -> fold(due)))
        .toList();
  }

  private void fold(Folding.Due due) {
    run("fold the usage of " + due.tenant(), sql -> Folding.fold(sql, due));
  }

  @Override
  public List<Head> changedHeads(int max) {
    return read(
        "read the heads of ledgers",
        sql ->
            sql.query(
                "select tenant, segment, seen, head from rowhouse_usage_segments"
                    + " where head is not null and seen > anchored limit ?",
                row -> new Head(row.getString(1), row.getLong(2), row.getLong(3), row.getString(4)),
                max));
  }

  @Override
  public void anchored(List<Head> heads) {
    List<@Nullable Object[]> rows = new ArrayList<>();
    heads.forEach(head -> rows.add(new Object[] {head.sequence(), head.tenant(), head.segment()}));
    run(
        "remember the anchors",
        sql ->
            sql.updateAll(
                "update rowhouse_usage_segments set anchored = ? where tenant = ? and segment = ?",
                rows));
  }

  @Override
  public void erase(TenantId tenant, long nowMillis) {
    run(
        "erase the keys of " + tenant + " from the tables of usage",
        sql -> Erased.erase(sql, tenant.value(), nowMillis));
  }

  @Override
  public Map<String, Long> identified(TenantId tenant) {
    return read(
        "count what the tables of usage have of " + tenant,
        sql ->
            UsageStore.identified(
                Erased.keys(sql, tenant.value()), Erased.attempts(sql, tenant.value())));
  }

  /** Work that has no answer. */
  @FunctionalInterface
  private interface Change {
    void on(Sql sql) throws SQLException;
  }

  private void run(String what, Change change) {
    read(
        what,
        sql -> {
          change.on(sql);
          return true;
        });
  }

  private <T> T read(String what, Sql.Work<T> work) {
    return Sql.transaction(database, "cannot " + what, work);
  }
}
