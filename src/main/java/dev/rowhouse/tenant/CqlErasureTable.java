package dev.rowhouse.tenant;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Erasures on Cassandra. Those without a report are named in one partition beside them, written
 * before and removed after, so that none is forgotten.
 */
final class CqlErasureTable implements ErasureTable {
  private static final int SHELF = 0;

  private final Cassandra cassandra;

  CqlErasureTable(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  @Override
  public void ask(TenantId tenant, String requestId, String askedBy, Instant now) {
    cassandra.execute(
        "insert into rowhouse_erasures_open (shelf, tenant, asked_at) values (?, ?, ?)",
        SHELF,
        tenant.value(),
        now.toEpochMilli());
    cassandra.decide(
        () -> serial(tenant) != null,
        "insert into rowhouse_erasures (tenant, request_id, asked_by, asked_at)"
            + " values (?, ?, ?, ?) if not exists",
        tenant.value(),
        requestId,
        askedBy,
        now.toEpochMilli());
  }

  @Override
  public void withdraw(TenantId tenant, String requestId) {
    boolean withdrawn =
        cassandra.decide(
            () -> serial(tenant) == null,
            "delete from rowhouse_erasures where tenant = ?"
                + " if request_id = ? and counts = null",
            tenant.value(),
            requestId);
    if (withdrawn) {
      close(tenant);
    }
  }

  @Override
  public void counted(TenantId tenant, String counts) {
    cassandra.decide(
        () -> has(serial(tenant), "counts"),
        "update rowhouse_erasures set counts = ? where tenant = ?"
            + " if counts = null and asked_at > 0",
        counts,
        tenant.value());
  }

  @Override
  public void done(TenantId tenant, String report, Instant now) {
    cassandra.decide(
        () -> has(serial(tenant), "report"),
        "update rowhouse_erasures set report = ?, done_at = ? where tenant = ?"
            + " if report = null and asked_at > 0",
        report,
        now.toEpochMilli(),
        tenant.value());
    close(tenant);
  }

  private static boolean has(@Nullable Row row, String column) {
    return row != null && !row.isNull(column);
  }

  private void close(TenantId tenant) {
    cassandra.execute(
        "delete from rowhouse_erasures_open where shelf = ? and tenant = ?", SHELF, tenant.value());
  }

  @Override
  public @Nullable Entry find(TenantId tenant) {
    return row(
        tenant,
        cassandra.one(
            "select request_id, asked_by, asked_at, counts, report from rowhouse_erasures"
                + " where tenant = ?",
            tenant.value()));
  }

  private @Nullable Row serial(TenantId tenant) {
    return cassandra
        .executeSerial(
            "select request_id, counts, report from rowhouse_erasures where tenant = ?",
            tenant.value())
        .one();
  }

  private static @Nullable Entry row(TenantId tenant, @Nullable Row row) {
    return row == null
        ? null
        : new Entry(
            tenant,
            Objects.requireNonNullElse(row.getString("request_id"), ""),
            Objects.requireNonNullElse(row.getString("asked_by"), ""),
            Instant.ofEpochMilli(row.getLong("asked_at")),
            row.getString("counts"),
            row.getString("report"));
  }

  @Override
  public List<Entry> unfinished(int limit) {
    List<Entry> open = new ArrayList<>();
    for (Row named :
        cassandra.execute("select tenant from rowhouse_erasures_open where shelf = ?", SHELF)) {
      TenantId tenant = new TenantId(String.valueOf(named.getString("tenant")));
      Entry row = find(tenant);
      if (row != null && row.report() != null) {
        close(tenant);
      } else if (row != null) {
        open.add(row);
      }
    }
    return open.stream().sorted(Comparator.comparing(Entry::askedAt)).limit(limit).toList();
  }
}
