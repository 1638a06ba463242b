package dev.rowhouse.reporting;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Located;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tables on SQL: each call is one transaction, under the locks of the tenant's segments. */
final class SqlUsageStore implements UsageStore {
  private final Database database;
  private final Transactions transactions;
  private final ReportingSettings settings;
  private final SqlAnswers answers;

  /** The newest event of the journal when this was last tidied. */
  private volatile long newestBefore;

  SqlUsageStore(Database database, ReportingSettings settings) {
    UsageTables.create(database);
    this.database = database;
    this.transactions = new Transactions(database);
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
        connection -> RowWriter.write(connection, tenant, events, clock.millis()));
  }

  @Override
  public UsageReports.Answer answer(UsageQuestion question, long nowMillis) {
    return transactions.run(
        "answer a question about usage",
        connection -> answers.answer(connection, question, nowMillis));
  }

  @Override
  public long asOfMillis(long nowMillis) {
    return transactions.run(
        "look how far the tables of usage are",
        connection -> Freshness.asOfMillis(connection, nowMillis));
  }

  @Override
  public List<String> doubtful(int max) {
    return transactions.run("read the doubts", connection -> Doubts.tenants(connection, max));
  }

  @Override
  public void endDoubt(TenantId tenant, long readAtMillis) {
    run(
        "end the doubt about " + tenant,
        connection -> Doubts.end(connection, tenant.value(), readAtMillis));
  }

  @Override
  public TenantFigures figures(TenantId tenant, Collection<Long> claimed, long nowMillis) {
    return transactions.run(
        "read the usage of " + tenant,
        connection ->
            TenantFigures.read(
                connection,
                tenant,
                claimed,
                Freshness.asOfMillis(connection, nowMillis) - settings.grace().toMillis()));
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
        connection -> {
          Rebuild.replace(connection, tenant, figures.upTo(), groups, sums, doubled);
          Doubts.end(connection, tenant.value(), readAtMillis);
        });
  }

  @Override
  public void tidy(Instant now) {
    long quietUpTo = newestBefore;
    run(
        "look after the tables of usage",
        connection -> {
          newestBefore = Freshness.newest(connection);
          Freshness.skipQuiet(connection, quietUpTo);
          Unknowns.forget(connection, now.minus(settings.unknownKept()).toEpochMilli());
        });
  }

  @Override
  public List<Fold> due(long beforeHour, int max) {
    return transactions
        .run("find what to fold", connection -> Folding.due(connection, beforeHour, max))
        .values()
        .stream()
        .map(due -> new Fold(due.tenant(), () -> fold(due)))
        .toList();
  }

  private void fold(Folding.Due due) {
    run("fold the usage of " + due.tenant(), connection -> Folding.fold(connection, due));
  }

  @Override
  public List<Head> changedHeads(int max) {
    return transactions.run(
        "read the heads of ledgers",
        connection -> {
          List<Head> heads = new ArrayList<>();
          try (PreparedStatement select =
              connection.prepareStatement(
                  "select tenant, segment, seen, head from rowhouse_usage_segments"
                      + " where head is not null and seen > anchored limit ?")) {
            select.setInt(1, max);
            try (ResultSet rows = select.executeQuery()) {
              while (rows.next()) {
                heads.add(
                    new Head(
                        rows.getString(1), rows.getLong(2), rows.getLong(3), rows.getString(4)));
              }
            }
          }
          return heads;
        });
  }

  @Override
  public void anchored(List<Head> heads) {
    run(
        "remember the anchors",
        connection -> {
          try (PreparedStatement update =
              connection.prepareStatement(
                  "update rowhouse_usage_segments set anchored = ?"
                      + " where tenant = ? and segment = ?")) {
            for (Head head : heads) {
              update.setLong(1, head.sequence());
              update.setString(2, head.tenant());
              update.setLong(3, head.segment());
              update.addBatch();
            }
            update.executeBatch();
          }
        });
  }

  @Override
  public void erase(TenantId tenant, long nowMillis) {
    run(
        "erase the keys of " + tenant + " from the tables of usage",
        connection -> Erased.erase(connection, tenant.value(), nowMillis));
  }

  @Override
  public Map<String, Long> identified(TenantId tenant) {
    return transactions.run(
        "count what the tables of usage have of " + tenant,
        connection ->
            UsageStore.identified(
                Erased.keys(connection, tenant.value()),
                Erased.attempts(connection, tenant.value())));
  }

  /** Work that has no answer. */
  @FunctionalInterface
  private interface Change {
    void on(Connection connection) throws SQLException;
  }

  private void run(String what, Change change) {
    transactions.run(
        what,
        connection -> {
          change.on(connection);
          return true;
        });
  }
}
