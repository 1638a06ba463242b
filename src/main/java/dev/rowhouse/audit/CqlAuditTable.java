package dev.rowhouse.audit;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The log on Cassandra, in partitions of 10,000 entries.
 *
 * <p>An entry is inserted by a lightweight transaction, if its number is free. So a writer that was
 * fenced off after it looked at the Fence still changes no entry: it is refused, or it adds the
 * next one of the same chain, and then it is the new writer that is refused and reads the end
 * again. Entries of one partition go together in one transaction, as far as its size allows.
 *
 * <p>A filter is applied by Cassandra within each partition; an old log is read in whole for it.
 */
final class CqlAuditTable implements AuditTable {
  private static final String LOG = "audit";
  private static final long BUCKET_ENTRIES = 10_000;

  /** Anchors are few for a tenant; a list is one read of each of so many partitions. */
  private static final int ANCHOR_BUCKETS = 16;

  /** Cassandra refuses a batch of more than 50 KiB. */
  private static final int TOGETHER_CHARACTERS_MAX = 8 * 1024;

  private static final String COLUMNS =
      "sequence_number, time_millis, kind, request_id, actor, remote, action, target, detail, hash";

  private static final String INSERT =
      "insert into rowhouse_audit (bucket, "
          + COLUMNS
          + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) if not exists";

  private final Cassandra cassandra;

  CqlAuditTable(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  private static long bucket(long sequence) {
    return (sequence - 1) / BUCKET_ENTRIES;
  }

  private static int anchorBucket(String persistenceId) {
    return Math.floorMod(persistenceId.hashCode(), ANCHOR_BUCKETS);
  }

  @Override
  public AuditHead last() {
    for (long bucket : buckets()) {
      // At the serial level: an insert that is still in flight is there or never will be.
      Row row =
          cassandra
              .executeSerial(
                  "select sequence_number, hash from rowhouse_audit where bucket = ?"
                      + " order by sequence_number desc limit 1",
                  bucket)
              .one();
      if (row != null) {
        return head(row);
      }
    }
    return base();
  }

  /** The partitions, the newest first. */
  private List<Long> buckets() {
    List<Long> buckets = new ArrayList<>();
    for (Row row :
        cassandra.execute("select bucket from rowhouse_audit_buckets where log = ?", LOG)) {
      buckets.add(row.getLong("bucket"));
    }
    return buckets;
  }

  private static AuditHead head(Row row) {
    return new AuditHead(row.getLong("sequence_number"), text(row, "hash"));
  }

  private static String text(Row row, String column) {
    return Objects.requireNonNullElse(row.getString(column), "");
  }

  @Override
  public AuditHead base() {
    Row row =
        cassandra.one(
            "select sequence_number, hash from rowhouse_audit_base where log = ? limit 1", LOG);
    return row == null ? AuditHead.GENESIS : head(row);
  }

  @Override
  public void write(long number, List<AuditEntry> entries) {
    checkFence(number);
    List<AuditEntry> together = new ArrayList<>();
    int characters = 0;
    for (AuditEntry entry : entries) {
      int size = AuditTable.json(entry.detail()).length() + entry.target().length() + 512;
      boolean fits = characters + size <= TOGETHER_CHARACTERS_MAX;
      if (!together.isEmpty()
          && (!fits || bucket(entry.sequence()) != bucket(together.getFirst().sequence()))) {
        insert(number, together);
        together.clear();
        characters = 0;
      }
      together.add(entry);
      characters += size;
    }
    insert(number, together);
    entries.stream().filter(entry -> entry.kind() == AuditDraft.Kind.ANCHOR).forEach(this::anchor);
  }

  private void checkFence(long number) {
    Row row = cassandra.one("select number from rowhouse_fence where name = ? limit 1", FENCE_NAME);
    if (row == null || row.getLong("number") != number) {
      throw new FencedOff(number);
    }
  }

  /** Entries of one partition: all or none. */
  private void insert(long number, List<AuditEntry> entries) {
    AuditEntry last = entries.getLast();
    long bucket = bucket(last.sequence());
    if (entries.getFirst().sequence() % BUCKET_ENTRIES == 1) {
      cassandra.execute(
          "insert into rowhouse_audit_buckets (log, bucket) values (?, ?)", LOG, bucket);
    }
    boolean done =
        cassandra.decide(
            () -> isThere(last),
            entries.stream().map(entry -> cassandra.bind(INSERT, values(bucket, entry))).toList());
    if (!done) {
      throw new FencedOff(number);
    }
  }

  private boolean isThere(AuditEntry entry) {
    Row row =
        cassandra
            .executeSerial(
                "select hash from rowhouse_audit where bucket = ? and sequence_number = ?",
                bucket(entry.sequence()),
                entry.sequence())
            .one();
    return row != null && entry.hash().equals(row.getString("hash"));
  }

  private static Object[] values(long bucket, AuditEntry entry) {
    return new Object[] {
      bucket,
      entry.sequence(),
      entry.timeMillis(),
      entry.kind().name(),
      entry.requestId(),
      entry.actor(),
      entry.remote(),
      entry.action(),
      entry.target(),
      AuditTable.json(entry.detail()),
      entry.hash()
    };
  }

  private void anchor(AuditEntry entry) {
    for (Map.Entry<String, String> detail : entry.detail().entrySet()) {
      AuditHead head = AuditChain.head(detail.getValue());
      if (head != null) {
        cassandra.execute(
            "insert into rowhouse_audit_anchors (bucket, persistence_id, sequence_number, hash)"
                + " values (?, ?, ?, ?)",
            anchorBucket(detail.getKey()),
            detail.getKey(),
            head.sequence(),
            head.hash());
      }
    }
  }

  @Override
  public @Nullable AuditHead lastBefore(long timeMillis) {
    for (long bucket : buckets()) {
      Row row =
          cassandra.one(
              "select sequence_number, hash from rowhouse_audit where bucket = ?"
                  + " and time_millis < ? order by sequence_number desc limit 1 allow filtering",
              bucket,
              timeMillis);
      if (row != null) {
        return head(row);
      }
    }
    return null;
  }

  @Override
  public void prune(long number, AuditHead base) {
    checkFence(number);
    cassandra.execute(
        "insert into rowhouse_audit_base (log, sequence_number, hash) values (?, ?, ?)",
        LOG,
        base.sequence(),
        base.hash());
    cassandra.execute(
        "delete from rowhouse_audit_base where log = ? and sequence_number < ?",
        LOG,
        base.sequence());
    for (long bucket : buckets()) {
      if (bucket < bucket(base.sequence())) {
        cassandra.execute("delete from rowhouse_audit where bucket = ?", bucket);
        cassandra.execute(
            "delete from rowhouse_audit_buckets where log = ? and bucket = ?", LOG, bucket);
      }
    }
    cassandra.execute(
        "delete from rowhouse_audit where bucket = ? and sequence_number <= ?",
        bucket(base.sequence()),
        base.sequence());
  }

  @Override
  public List<AuditEntry> read(AuditQuery query) {
    StringBuilder cql =
        new StringBuilder(
            "select " + COLUMNS + " from rowhouse_audit where bucket = ? and sequence_number > ?");
    List<Object> values = new ArrayList<>();
    add(cql, values, "time_millis >= ?", query.fromMillis());
    add(cql, values, "time_millis < ?", query.toMillis());
    add(cql, values, "action = ?", query.action());
    add(cql, values, "target = ?", query.target());
    add(cql, values, "kind = ?", query.kind() == null ? null : query.kind().name());
    cql.append(" limit ?").append(values.isEmpty() ? "" : " allow filtering");
    List<AuditEntry> entries = new ArrayList<>();
    for (long bucket : buckets().reversed()) {
      int room = query.limit() - entries.size();
      if (room > 0 && bucket >= bucket(query.after() + 1)) {
        List<Object> all = new ArrayList<>(List.of(bucket, query.after()));
        all.addAll(values);
        all.add(room);
        for (Row row : cassandra.all(cql.toString(), all.toArray())) {
          entries.add(entry(row));
        }
      }
    }
    return List.copyOf(entries);
  }

  private static void add(
      StringBuilder cql, List<Object> values, String condition, @Nullable Object value) {
    if (value != null) {
      cql.append(" and ").append(condition);
      values.add(value);
    }
  }

  private static AuditEntry entry(Row row) {
    return new AuditEntry(
        row.getLong("sequence_number"),
        row.getLong("time_millis"),
        AuditTable.kind(text(row, "kind")),
        text(row, "request_id"),
        text(row, "actor"),
        text(row, "remote"),
        text(row, "action"),
        text(row, "target"),
        AuditTable.detail(text(row, "detail")),
        text(row, "hash"));
  }

  @Override
  public Map<String, AuditHead> anchors(String after, int limit) {
    TreeMap<String, AuditHead> found = new TreeMap<>();
    for (int bucket = 0; bucket < ANCHOR_BUCKETS; bucket++) {
      for (Row row :
          cassandra.all(
              "select persistence_id, sequence_number, hash from rowhouse_audit_anchors"
                  + " where bucket = ? and persistence_id > ? limit ?",
              bucket,
              after,
              limit)) {
        found.put(text(row, "persistence_id"), head(row));
      }
    }
    while (found.size() > limit) {
      found.pollLastEntry();
    }
    return found;
  }

  @Override
  public Map<String, AuditHead> anchorsOf(Set<String> persistenceIds) {
    Map<String, AuditHead> anchors = new TreeMap<>();
    for (String persistenceId : persistenceIds) {
      Row row =
          cassandra.one(
              "select sequence_number, hash from rowhouse_audit_anchors"
                  + " where bucket = ? and persistence_id = ?",
              anchorBucket(persistenceId),
              persistenceId);
      if (row != null) {
        anchors.put(persistenceId, head(row));
      }
    }
    return anchors;
  }
}
