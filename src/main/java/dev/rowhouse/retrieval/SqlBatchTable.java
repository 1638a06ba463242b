package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Batches in SQL. */
final class SqlBatchTable implements BatchTable {
  private final Database database;
  private final String tenant;

  SqlBatchTable(Database database, TenantId tenant) {
    this.database = database;
    this.tenant = tenant.value();
  }

  @Override
  public void create(String id, String store, List<String> files, Instant now) {
    Sql.transaction(
        database,
        sql -> {
          if (sql.number(
                  "SELECT COUNT(*) FROM knowledge_batches WHERE tenant = ? AND id = ?", tenant, id)
              > 0) {
            return 0;
          }
          sql.update(
              "INSERT INTO knowledge_batches (tenant, id, store_id, created_at, cancelled)"
                  + " VALUES (?, ?, ?, ?, ?)",
              tenant,
              id,
              store,
              now.toEpochMilli(),
              false);
          for (String file : List.copyOf(new LinkedHashSet<>(files))) {
            sql.update(
                "INSERT INTO knowledge_batch_files (tenant, batch_id, file_id) VALUES (?, ?, ?)",
                tenant,
                id,
                file);
          }
          return files.size();
        });
  }

  private record Row(Instant createdAt, boolean cancelled) {}

  @Override
  public @Nullable FileBatch get(String id, String store) {
    return Sql.<@Nullable FileBatch>transaction(
        database,
        sql -> {
          Row batch =
              sql.first(
                  "SELECT created_at, cancelled FROM knowledge_batches"
                      + " WHERE tenant = ? AND id = ? AND store_id = ?",
                  row -> new Row(Instant.ofEpochMilli(row.getLong(1)), row.getBoolean(2)),
                  tenant,
                  id,
                  store);
          if (batch == null) {
            return null;
          }
          FileCounts counts = FileCounts.NONE;
          for (FileStatus status : FileStatus.values()) {
            long files =
                sql.number(
                    "SELECT COUNT(*) FROM knowledge_store_files WHERE tenant = ?"
                        + " AND store_id = ? AND status = ? AND file_id IN (SELECT file_id"
                        + " FROM knowledge_batch_files WHERE tenant = ? AND batch_id = ?)",
                    tenant,
                    store,
                    status.wireName(),
                    tenant,
                    id);
            counts = counts.plus(status, (int) files);
          }
          return new FileBatch(
              id, store, BatchTable.statusOf(batch.cancelled(), counts), counts, batch.createdAt());
        });
  }

  @Override
  public void cancel(String id, String store) {
    Sql.transaction(
        database,
        sql -> {
          sql.update(
              "UPDATE knowledge_batches SET cancelled = ? WHERE tenant = ? AND id = ?",
              true,
              tenant,
              id);
          return sql.update(
              "UPDATE knowledge_store_files SET status = ? WHERE tenant = ? AND store_id = ?"
                  + " AND status = ? AND file_id IN (SELECT file_id FROM knowledge_batch_files"
                  + " WHERE tenant = ? AND batch_id = ?)",
              FileStatus.CANCELLED.wireName(),
              tenant,
              store,
              FileStatus.IN_PROGRESS.wireName(),
              tenant,
              id);
        });
  }
}
