package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The stores of one tenant on Cassandra: each a partition with its head, its files and its changes.
 *
 * <p>A change reads the head at the serial level, decides, and writes head and rows in one
 * lightweight transaction that asks for the revision it has read; when that has moved, it decides
 * again. So the counts in the head are those of the rows, of every number there is at most one
 * change, and what a read of the head at the serial level shows is in the rows for every reader
 * after it.
 *
 * <p>A deletion takes more than one step. The store is first marked in its head, which is when it
 * is gone for everybody; then go its chunks and batches, its name in the list, and at last the
 * partition. A doubt written before the first step makes a sweep go on with it.
 */
final class CqlStores {
  /** Each lost race means that another change was made; so many in a row are no race. */
  private static final int TRIES_MAX = 64;

  /** Partitions that are removed in one statement. */
  private static final int REMOVALS_TOGETHER = 50;

  /** Removed files or stores that one read of changes passes over at most. */
  private static final int NUMBERS_IN_A_READ = 1_000;

  /** Partitions of the batches of a store. */
  static final int BATCH_BUCKETS = 16;

  private static final String HEAD =
      "incarnation, revision, writer, deleted, name, metadata, created_at, last_active_at,"
          + " expires_days, change_seq, pruned_seq, in_progress, completed, failed, cancelled,"
          + " usage_bytes, chunks";

  private final Cassandra cassandra;
  private final String tenant;
  private final CqlDoubts doubts;

  CqlStores(Cassandra cassandra, TenantId tenant, CqlDoubts doubts) {
    this.cassandra = cassandra;
    this.tenant = tenant.value();
    this.doubts = doubts;
  }

  /**
   * What is known of a store as a whole.
   *
   * @param name sealed, as the metadata are
   * @param changes the number of the last change
   */
  record Head(
      UUID incarnation,
      long revision,
      boolean deleted,
      String name,
      String metadata,
      Instant createdAt,
      Instant lastActiveAt,
      @Nullable Integer expiresDays,
      long changes,
      long pruned,
      FileCounts counts,
      long usageBytes,
      long chunks) {
    Head deleting() {
      return with(true, name, metadata, lastActiveAt, expiresDays);
    }

    Head named(String newName, String newMetadata, @Nullable Integer days) {
      return with(deleted, newName, newMetadata, lastActiveAt, days);
    }

    Head usedAt(Instant now) {
      return with(deleted, name, metadata, now, expiresDays);
    }

    private Head with(
        boolean nowDeleted,
        String newName,
        String newMetadata,
        Instant activeAt,
        @Nullable Integer days) {
      return new Head(
          incarnation,
          revision,
          nowDeleted,
          newName,
          newMetadata,
          createdAt,
          activeAt,
          days,
          changes,
          pruned,
          counts,
          usageBytes,
          chunks);
    }

    Head holding(FileCounts newCounts, long newUsageBytes, long newChunks) {
      return numbered(changes, pruned, newCounts, newUsageBytes, newChunks);
    }

    Head changed(long prunedNow) {
      return numbered(changes + 1, prunedNow, counts, usageBytes, chunks);
    }

    private Head numbered(
        long newChanges, long newPruned, FileCounts newCounts, long newUsage, long newChunks) {
      return new Head(
          incarnation,
          revision,
          deleted,
          name,
          metadata,
          createdAt,
          lastActiveAt,
          expiresDays,
          newChanges,
          newPruned,
          newCounts,
          newUsage,
          newChunks);
    }
  }

  /** What is to be done about a store. */
  sealed interface Step<T> {
    /** The head and these rows of its partition change together. */
    record Write<T>(Head head, List<BoundStatement> rows, T result) implements Step<T> {}

    record Nothing<T>(T result) implements Step<T> {}
  }

  /** Null when there is no such store. */
  @Nullable Head head(String store) {
    return present(read(cassandra.one(headCql(), tenant, store)));
  }

  /** The head after every change that had begun before: what it counts, all readers find. */
  @Nullable Head headSerial(String store) {
    return present(headEvenDeleted(store));
  }

  private @Nullable Head headEvenDeleted(String store) {
    return read(cassandra.executeSerial(headCql(), tenant, store).one());
  }

  private static String headCql() {
    return "select "
        + HEAD
        + " from rowhouse_knowledge_stores where tenant = ? and store_id = ? limit 1";
  }

  private static @Nullable Head present(@Nullable Head head) {
    return head == null || head.deleted() ? null : head;
  }

  private static @Nullable Head read(@Nullable Row row) {
    UUID incarnation = row == null ? null : row.getUuid("incarnation");
    if (row == null || incarnation == null) {
      return null;
    }
    Instant created = Objects.requireNonNullElse(row.getInstant("created_at"), Instant.EPOCH);
    return new Head(
        incarnation,
        row.getLong("revision"),
        row.getBoolean("deleted"),
        String.valueOf(row.getString("name")),
        String.valueOf(row.getString("metadata")),
        created,
        Objects.requireNonNullElse(row.getInstant("last_active_at"), created),
        row.isNull("expires_days") ? null : Integer.valueOf(row.getInt("expires_days")),
        row.getLong("change_seq"),
        row.getLong("pruned_seq"),
        new FileCounts(
            row.getInt("in_progress"),
            row.getInt("completed"),
            row.getInt("failed"),
            row.getInt("cancelled")),
        row.getLong("usage_bytes"),
        row.getLong("chunks"));
  }

  /** A store's id and head. */
  record Named(String id, Head head) {}

  /** All stores of the tenant; their number is bounded. */
  List<Named> all() {
    List<Named> all = new ArrayList<>();
    for (String id : ids()) {
      Head head = head(id);
      if (head != null) {
        all.add(new Named(id, head));
      }
    }
    return all;
  }

  /** The ids that are in the list; a store that is being made or deleted may be among them. */
  List<String> ids() {
    List<String> ids = new ArrayList<>();
    for (Row row :
        cassandra.all(
            "select store_id from rowhouse_knowledge_store_ids where tenant = ?", tenant)) {
      ids.add(String.valueOf(row.getString("store_id")));
    }
    return ids;
  }

  /** Makes the store unless it exists: its id is in the list before it is there. */
  void create(String store, String name, String metadata, @Nullable Integer days, Instant now) {
    Head old = headEvenDeleted(store);
    if (old != null && !old.deleted()) {
      return;
    }
    if (old != null) {
      finishDeletion(store, old.incarnation());
    }
    UUID incarnation = UUID.randomUUID();
    enlist(store, incarnation);
    UUID writer = UUID.randomUUID();
    Head head =
        new Head(
            incarnation, 0, false, name, metadata, now, now, days, 0, 0, FileCounts.NONE, 0, 0);
    // Refused: somebody else made it first, which is as good.
    var _ =
        cassandra.decide(
            () -> writer.equals(writer(store)),
            List.of(write(store, head, writer, " if incarnation = null")));
  }

  private void enlist(String store, UUID incarnation) {
    if (cassandra.decide(
        () -> incarnation.equals(enlisted(store)),
        "insert into rowhouse_knowledge_store_ids (tenant, store_id, incarnation)"
            + " values (?, ?, ?) if not exists",
        tenant,
        store,
        incarnation)) {
      return;
    }
    // Of a store that was never made, or is being made beside this one.
    var _ =
        cassandra.decide(
            () -> incarnation.equals(enlisted(store)),
            "update rowhouse_knowledge_store_ids set incarnation = ?"
                + " where tenant = ? and store_id = ? if exists",
            incarnation,
            tenant,
            store);
  }

  private @Nullable UUID enlisted(String store) {
    Row row =
        cassandra
            .executeSerial(
                "select incarnation from rowhouse_knowledge_store_ids"
                    + " where tenant = ? and store_id = ?",
                tenant,
                store)
            .one();
    return row == null ? null : row.getUuid("incarnation");
  }

  private @Nullable UUID writer(String store) {
    Row row = cassandra.executeSerial(headCql(), tenant, store).one();
    return row == null ? null : row.getUuid("writer");
  }

  private BoundStatement write(
      String store, Head head, UUID writer, String condition, Object... asked) {
    List<@Nullable Object> values = new ArrayList<>();
    values.add(head.incarnation());
    values.add(head.revision() + 1);
    values.add(writer);
    values.add(head.deleted());
    values.add(head.name());
    values.add(head.metadata());
    values.add(head.createdAt());
    values.add(head.lastActiveAt());
    values.add(head.expiresDays());
    values.add(head.changes());
    values.add(head.pruned());
    values.add(head.counts().inProgress());
    values.add(head.counts().completed());
    values.add(head.counts().failed());
    values.add(head.counts().cancelled());
    values.add(head.usageBytes());
    values.add(head.chunks());
    values.add(tenant);
    values.add(store);
    values.addAll(List.of(asked));
    return cassandra.bind(
        "update rowhouse_knowledge_stores set "
            + HEAD.replace(",", " = ?,")
            + " = ? where tenant = ? and store_id = ?"
            + condition,
        values.toArray());
  }

  /** Changes a store as is decided from its head; {@code absent} when there is no such store. */
  <T> T change(String store, T absent, Function<Head, Step<T>> decision) {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      Head head = headSerial(store);
      if (head == null) {
        return absent;
      }
      switch (decision.apply(head)) {
        case Step.Nothing<T> nothing -> {
          return nothing.result();
        }
        case Step.Write<T> write -> {
          UUID writer = UUID.randomUUID();
          List<BoundStatement> statements = new ArrayList<>();
          statements.add(
              write(
                  store,
                  write.head(),
                  writer,
                  " if revision = ? and incarnation = ?",
                  head.revision(),
                  head.incarnation()));
          statements.addAll(write.rows());
          if (cassandra.decide(() -> writer.equals(writer(store)), statements)) {
            return write.result();
          }
        }
      }
    }
    throw new StorageFailure("too many changes of store " + store + " at once", null);
  }

  /** The changes after a number, in order. */
  List<StoreTable.Change> changes(String store, long after, int limit) {
    Head head = head(store);
    long last = head == null ? 0 : head.changes();
    List<StoreTable.Change> changes = new ArrayList<>();
    long from = after;
    while (from < last && changes.size() < limit) {
      // No more numbers than these, because each may be a row that is gone.
      long to = Math.min(last, from + NUMBERS_IN_A_READ);
      for (Row row :
          cassandra.all(
              "select number, file_id, removed from rowhouse_knowledge_stores where tenant = ?"
                  + " and store_id = ? and kind = 1 and number > ? and number <= ? limit ?",
              tenant,
              store,
              from,
              to,
              limit - changes.size())) {
        changes.add(
            new StoreTable.Change(
                String.valueOf(row.getString("file_id")),
                row.getLong("number"),
                row.getBoolean("removed")));
      }
      from = to;
    }
    return changes;
  }

  /** False when there was none. */
  boolean delete(String store) {
    Head head = headEvenDeleted(store);
    if (head == null) {
      return false;
    }
    UUID incarnation = head.incarnation();
    boolean was = false;
    if (!head.deleted()) {
      doubts.write(tenant, CqlDoubts.Kind.STORE, store, "", incarnation);
      was =
          change(
              store,
              false,
              now ->
                  now.incarnation().equals(incarnation)
                      ? new Step.Write<>(now.deleting(), List.of(), true)
                      : new Step.Nothing<>(false));
    }
    finishDeletion(store, incarnation);
    return was;
  }

  /** Looks again at a store that may be half deleted. */
  void mend(String store, UUID incarnation) {
    Head head = headEvenDeleted(store);
    if (head == null || !head.incarnation().equals(incarnation)) {
      removeBatches(store, incarnation);
    } else if (head.deleted()) {
      finishDeletion(store, incarnation);
    }
  }

  private void finishDeletion(String store, UUID incarnation) {
    List<BoundStatement> removals = new ArrayList<>();
    for (Row row :
        cassandra.execute(
            "select attempt from rowhouse_knowledge_stores"
                + " where tenant = ? and store_id = ? and kind = 0",
            tenant,
            store)) {
      UUID attempt = row.getUuid("attempt");
      if (attempt != null) {
        removals.add(chunkRemoval(attempt));
      }
      if (removals.size() == REMOVALS_TOGETHER) {
        cassandra.executeTogether(removals);
        removals.clear();
      }
    }
    if (!removals.isEmpty()) {
      cassandra.executeTogether(removals);
    }
    removeBatches(store, incarnation);
    var _ =
        cassandra.decide(
            () -> !incarnation.equals(enlisted(store)),
            "delete from rowhouse_knowledge_store_ids where tenant = ? and store_id = ?"
                + " if incarnation = ?",
            tenant,
            store,
            incarnation);
    var _ =
        cassandra.decide(
            () -> {
              Head head = headEvenDeleted(store);
              return head == null || !head.incarnation().equals(incarnation);
            },
            List.of(
                cassandra.bind(
                    "delete "
                        + HEAD
                        + " from rowhouse_knowledge_stores where tenant = ? and store_id = ?"
                        + " if incarnation = ? and deleted = true",
                    tenant,
                    store,
                    incarnation),
                cassandra.bind(
                    "delete from rowhouse_knowledge_stores"
                        + " where tenant = ? and store_id = ? and kind >= 0",
                    tenant,
                    store)));
  }

  private void removeBatches(String store, UUID incarnation) {
    List<BoundStatement> removals = new ArrayList<>();
    for (int bucket = 0; bucket < BATCH_BUCKETS; bucket++) {
      removals.add(
          cassandra.bind(
              "delete from rowhouse_knowledge_batches"
                  + " where tenant = ? and store_id = ? and incarnation = ? and bucket = ?",
              tenant,
              store,
              incarnation,
              bucket));
    }
    cassandra.executeTogether(removals);
  }

  BoundStatement chunkRemoval(UUID attempt) {
    return cassandra.bind(
        "delete from rowhouse_knowledge_chunks where tenant = ? and attempt = ?", tenant, attempt);
  }
}
