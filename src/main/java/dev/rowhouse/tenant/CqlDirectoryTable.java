package dev.rowhouse.tenant;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.tenant.TenantProfile.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.stream.Gatherers;
import org.jspecify.annotations.Nullable;

/**
 * The directory on Cassandra, in a fixed number of partitions by the hash of the id.
 *
 * <p>Each cell is written with its event's number as timestamp, so the latest event wins whatever
 * comes twice or late. So rows need no transaction: they are written first, and the offset moves
 * after them, from where the writer found it. A page merges the partitions by id.
 */
final class CqlDirectoryTable implements DirectoryTable {
  /** A million tenants are some 60,000 rows in each. */
  private static final int BUCKETS = 16;

  /** Cassandra warns of a batch of 5 KiB and refuses one of 50; a row is 200 bytes to 1.5 kB. */
  private static final int ROWS_TOGETHER_MAX = 20;

  private final Cassandra cassandra;
  private final String defaultPlan;

  CqlDirectoryTable(Cassandra cassandra, String defaultPlan) {
    this.cassandra = cassandra;
    this.defaultPlan = defaultPlan;
  }

  private static int bucket(String tenant) {
    return Math.floorMod(tenant.hashCode(), BUCKETS);
  }

  /** `rowhouse schema` has made them. */
  @Override
  public void createSchema() {}

  /** The next row of a partition, and those behind it. */
  private record Head(TenantDirectory.Row row, Iterator<Row> rest) {}

  @Override
  public List<TenantDirectory.Row> read(TenantDirectory.Query query) {
    PriorityQueue<Head> heads =
        new PriorityQueue<>(
            BUCKETS, Comparator.comparing((Head head) -> head.row().tenant().value()));
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      BoundStatement select =
          cassandra
              .bind(
                  "select id, status, plan, display_name, created_at_millis, updated_at_millis"
                      + " from rowhouse_tenants where bucket = ? and id > ?",
                  bucket,
                  Objects.requireNonNullElse(query.after(), ""))
              .setPageSize(query.limit() + 1);
      push(heads, cassandra.run(select).iterator());
    }
    List<TenantDirectory.Row> rows = new ArrayList<>();
    for (Head head = heads.poll();
        head != null && rows.size() <= query.limit();
        head = heads.poll()) {
      push(heads, head.rest());
      TenantDirectory.Row row = head.row();
      if ((query.status() == null || query.status() == row.status())
          && (query.plan() == null || query.plan().equals(row.plan()))) {
        rows.add(row);
      }
    }
    return rows;
  }

  private void push(PriorityQueue<Head> heads, Iterator<Row> rows) {
    while (rows.hasNext()) {
      Row row = rows.next();
      String status = row.getString("status");
      // Without the time of its onboarding: only a later event was read yet.
      if (status != null && !row.isNull("created_at_millis")) {
        heads.add(new Head(row(row, Status.valueOf(status)), rows));
        return;
      }
    }
  }

  private TenantDirectory.Row row(Row row, Status status) {
    return new TenantDirectory.Row(
        new TenantId(String.valueOf(row.getString("id"))),
        status,
        Objects.requireNonNullElse(row.getString("plan"), defaultPlan),
        row.getString("display_name"),
        Instant.ofEpochMilli(row.getLong("created_at_millis")),
        Instant.ofEpochMilli(row.getLong("updated_at_millis")));
  }

  @Override
  public boolean contains(String tenant) {
    return has(tenant, "created_at_millis");
  }

  @Override
  public long countNames(String tenant) {
    return has(tenant, "display_name") ? 1 : 0;
  }

  private boolean has(String tenant, String column) {
    Row row = one(tenant, column);
    return row != null && !row.isNull(0);
  }

  private @Nullable Row one(String tenant, String column) {
    return cassandra.one(
        "select " + column + " from rowhouse_tenants where bucket = ? and id = ?",
        bucket(tenant),
        tenant);
  }

  /** With the timestamp of the name itself: of two at the same time a removal wins. */
  @Override
  public void eraseName(String tenant) {
    Row row = one(tenant, "writetime(display_name)");
    if (row != null && !row.isNull(0)) {
      cassandra.execute(
          "update rowhouse_tenants using timestamp ? set display_name = null"
              + " where bucket = ? and id = ?",
          row.getLong(0),
          bucket(tenant),
          tenant);
    }
  }

  @Override
  public String offset() {
    Row row =
        cassandra
            .executeSerial(
                "select journal_offset from rowhouse_tenants_offset where name = ?", OFFSET_NAME)
            .one();
    return row == null ? "" : Objects.requireNonNullElse(row.getString("journal_offset"), "");
  }

  @Override
  public void write(String from, String until, List<Change> changes) {
    if (!offset().equals(from)) {
      throw overtaken(from);
    }
    Map<Integer, List<BoundStatement>> byBucket = new TreeMap<>();
    for (Change change : changes) {
      BoundStatement statement = statement(change);
      if (statement != null) {
        byBucket
            .computeIfAbsent(bucket(change.event().tenant().value()), _ -> new ArrayList<>())
            .add(statement);
      }
    }
    for (List<BoundStatement> statements : byBucket.values()) {
      statements.stream()
          .gather(Gatherers.windowFixed(ROWS_TOGETHER_MAX))
          .forEach(cassandra::executeInOnePartition);
    }
    if (!move(from, until)) {
      throw overtaken(from);
    }
  }

  private static JournalException overtaken(String from) {
    return new JournalException("another projector has moved the offset from " + from, null);
  }

  private boolean move(String from, String until) {
    return from.isEmpty()
        ? cassandra.decide(
            () -> until.equals(offset()),
            "insert into rowhouse_tenants_offset (name, journal_offset) values (?, ?)"
                + " if not exists",
            OFFSET_NAME,
            until)
        : cassandra.decide(
            () -> until.equals(offset()),
            "update rowhouse_tenants_offset set journal_offset = ? where name = ?"
                + " if journal_offset = ?",
            until,
            OFFSET_NAME,
            from);
  }

  private @Nullable BoundStatement statement(Change change) {
    return switch (change.event()) {
      case TenantEvent.Onboarded onboarded ->
          cassandra.bind(
              "insert into rowhouse_tenants (bucket, id, status, plan, display_name,"
                  + " created_at_millis, updated_at_millis, version)"
                  + " values (?, ?, ?, ?, ?, ?, ?, ?) using timestamp ?",
              bucket(onboarded.tenant().value()),
              onboarded.tenant().value(),
              Status.ACTIVE.name(),
              onboarded.spec().plan(),
              change.sealedName(),
              onboarded.at().toEpochMilli(),
              onboarded.at().toEpochMilli(),
              change.sequenceNumber(),
              change.sequenceNumber());
      case TenantEvent.Configured configured ->
          update(
              change,
              "plan = ?, display_name = ?, ",
              configured.spec().plan(),
              change.sealedName());
      case TenantEvent.Suspended _ -> update(change, "status = ?, ", Status.SUSPENDED.name());
      case TenantEvent.Resumed _ -> update(change, "status = ?, ", Status.ACTIVE.name());
      case TenantEvent.Offboarded _ ->
          update(
              change,
              "status = ?, plan = ?, display_name = ?, ",
              Status.OFFBOARDED.name(),
              null,
              null);
      case TenantEvent.KeyCreated _,
          TenantEvent.KeyChanged _,
          TenantEvent.KeyRevoked _,
          TenantEvent.KeyRotated _,
          TenantEvent.PromptSaved _,
          TenantEvent.PromptDeleted _ ->
          update(change, "");
      case TenantEvent.BudgetMarked _ -> null;
    };
  }

  private BoundStatement update(Change change, String columns, @Nullable String... values) {
    String tenant = change.event().tenant().value();
    List<@Nullable Object> all = new ArrayList<>();
    all.add(change.sequenceNumber());
    all.addAll(Arrays.asList(values));
    all.add(change.event().at().toEpochMilli());
    all.add(change.sequenceNumber());
    all.add(bucket(tenant));
    all.add(tenant);
    return cassandra.bind(
        "update rowhouse_tenants using timestamp ? set "
            + columns
            + "updated_at_millis = ?, version = ? where bucket = ? and id = ?",
        all.toArray());
  }
}
