package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.retrieval.CqlStoreFiles.FileRow;
import dev.rowhouse.retrieval.CqlStores.Head;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Batches on Cassandra. A batch is written before its files are attached, and marked as cancelled
 * before they are: a crash between leaves files that were not attached or go on, and the same
 * request again does the rest.
 */
final class CqlBatchTable implements BatchTable {
  private static final String KEY =
      " where tenant = ? and store_id = ? and incarnation = ? and bucket = ? and batch_id = ?";

  private final Cassandra cassandra;
  private final CqlStores stores;
  private final CqlStoreFiles storeFiles;
  private final String tenant;

  CqlBatchTable(Cassandra cassandra, CqlStores stores, CqlStoreFiles storeFiles, TenantId tenant) {
    this.cassandra = cassandra;
    this.stores = stores;
    this.storeFiles = storeFiles;
    this.tenant = tenant.value();
  }

  private static int bucket(String id) {
    return Math.floorMod(id.hashCode(), CqlStores.BATCH_BUCKETS);
  }

  @Override
  public void create(String id, String store, List<String> files, Instant now) {
    Head head = stores.head(store);
    if (head == null) {
      return;
    }
    boolean made =
        cassandra.decide(
            () -> batch(id, store, head.incarnation()) != null,
            "insert into rowhouse_knowledge_batches"
                + " (tenant, store_id, incarnation, bucket, batch_id, created_at, cancelled, files)"
                + " values (?, ?, ?, ?, ?, ?, false, ?) if not exists",
            tenant,
            store,
            head.incarnation(),
            bucket(id),
            id,
            now,
            List.copyOf(new LinkedHashSet<>(files)));
    if (!made && batch(id, store, head.incarnation()) == null) {
      throw new StorageFailure("the batch " + id + " could not be made", null);
    }
  }

  private @Nullable Row batch(String id, String store, UUID incarnation) {
    return cassandra
        .executeSerial(
            "select created_at, cancelled, files from rowhouse_knowledge_batches" + KEY,
            tenant,
            store,
            incarnation,
            bucket(id),
            id)
        .one();
  }

  private @Nullable Row batch(String id, String store) {
    Head head = stores.head(store);
    return head == null ? null : batch(id, store, head.incarnation());
  }

  /** The ids of its files; none when there is no such batch. */
  Set<String> files(String id, String store) {
    Row batch = batch(id, store);
    return batch == null ? Set.of() : Set.copyOf(ids(batch));
  }

  private static List<String> ids(Row batch) {
    return Objects.requireNonNullElse(batch.getList("files", String.class), List.<String>of());
  }

  @Override
  public @Nullable FileBatch get(String id, String store) {
    Row batch = batch(id, store);
    if (batch == null) {
      return null;
    }
    FileCounts counts = FileCounts.NONE;
    for (FileRow file : storeFiles.get(store, ids(batch))) {
      counts = counts.plus(file.status(), 1);
    }
    return new FileBatch(
        id,
        store,
        BatchTable.statusOf(batch.getBoolean("cancelled"), counts),
        counts,
        Objects.requireNonNullElse(batch.getInstant("created_at"), Instant.EPOCH));
  }

  @Override
  public void cancel(String id, String store) {
    Head head = stores.head(store);
    Row batch = head == null ? null : batch(id, store, head.incarnation());
    if (head == null || batch == null) {
      return;
    }
    var _ =
        cassandra.decide(
            () -> {
              Row after = batch(id, store, head.incarnation());
              return after != null && after.getBoolean("cancelled");
            },
            "update rowhouse_knowledge_batches set cancelled = true" + KEY + " if exists",
            tenant,
            store,
            head.incarnation(),
            bucket(id),
            id);
    storeFiles.end(store, ids(batch), FileStatus.CANCELLED, null);
  }
}
