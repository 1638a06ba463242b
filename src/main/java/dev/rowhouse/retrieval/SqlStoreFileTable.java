package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Files of stores in SQL. */
final class SqlStoreFileTable implements StoreFileTable {
  private static final String COLUMNS =
      "file_id, store_id, status, error_code, error_message, attributes, usage_bytes, chunk_auto,"
          + " chunk_tokens, chunk_overlap, created_at";

  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  SqlStoreFileTable(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.keys = keys;
    this.tenant = tenant.value();
  }

  @Override
  public void attach(
      String store,
      List<String> files,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      Instant now) {
    Sealer sealer = Sealer.of(keys, owner);
    Sql.transaction(
        database,
        sql -> {
          for (String file : files) {
            StoreFile known = find(sql, sealer, store, file);
            boolean again =
                known != null
                    && switch (known.status()) {
                      case IN_PROGRESS, COMPLETED -> false;
                      case FAILED, CANCELLED -> detach(sql, tenant, store, file);
                    };
            if (known == null || again) {
              insert(sql, sealer, store, file, attributes, chunking, now);
            }
          }
          return files.size();
        });
  }

  private int insert(
      Sql sql,
      Sealer sealer,
      String store,
      String file,
      Map<String, Object> attributes,
      ChunkingStrategy chunking,
      Instant now)
      throws SQLException {
    return sql.update(
        "INSERT INTO knowledge_store_files (tenant, store_id, file_id, status, attributes,"
            + " usage_bytes, chunk_auto, chunk_tokens, chunk_overlap, created_at)"
            + " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
        tenant,
        store,
        file,
        FileStatus.IN_PROGRESS.wireName(),
        sealer.seal(Purpose.FILE_ATTRIBUTES, Attributes.write(attributes)),
        chunking.auto(),
        chunking.maxChunkSizeTokens(),
        chunking.chunkOverlapTokens(),
        now.toEpochMilli());
  }

  @Override
  public @Nullable StoreFile get(String store, String file) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable StoreFile>transaction(database, sql -> find(sql, sealer, store, file));
  }

  private @Nullable StoreFile find(Sql sql, Sealer sealer, String store, String file)
      throws SQLException {
    return sql.first(
        "SELECT "
            + COLUMNS
            + " FROM knowledge_store_files"
            + " WHERE tenant = ? AND store_id = ? AND file_id = ?",
        row -> read(row, sealer),
        tenant,
        store,
        file);
  }

  @Override
  public long count(String store) {
    return Sql.transaction(
        database,
        sql ->
            sql.number(
                "SELECT COUNT(*) FROM knowledge_store_files WHERE tenant = ? AND store_id = ?",
                tenant,
                store));
  }

  @Override
  public @Nullable Page<StoreFile> list(
      String store, @Nullable String batch, @Nullable FileStatus status, PageRequest page) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable Page<StoreFile>>transaction(
        database,
        sql -> {
          StoreFile last = page.after() == null ? null : find(sql, sealer, store, page.after());
          if (page.after() != null && last == null) {
            return null;
          }
          Keyset keyset = new Keyset(last == null ? null : last.createdAt().toEpochMilli(), page);
          // An absent condition compares the tenant with itself, so that the arguments stay in
          // line.
          String where =
              "SELECT "
                  + COLUMNS
                  + " FROM knowledge_store_files WHERE tenant = ?"
                  + " AND store_id = ?"
                  + (status == null ? " AND tenant = ?" : " AND status = ?")
                  + (batch == null
                      ? " AND tenant = ?"
                      : " AND file_id IN (SELECT file_id FROM knowledge_batch_files"
                          + " WHERE tenant = knowledge_store_files.tenant AND batch_id = ?)");
          List<StoreFile> rows =
              sql.query(
                  where + keyset.clause("created_at", "file_id"),
                  row -> read(row, sealer),
                  keyset.arguments(
                      tenant,
                      store,
                      status == null ? tenant : status.wireName(),
                      batch == null ? tenant : batch));
          return Page.of(rows, page.limit());
        });
  }

  @Override
  public List<StoreFile> inProgress(int limit) {
    if (inProgressCount() == 0) {
      // Of a tenant that was erased nothing is in progress, and there is no key to ask for.
      return List.of();
    }
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.transaction(
        database,
        sql ->
            sql.query(
                "SELECT "
                    + COLUMNS
                    + " FROM knowledge_store_files"
                    + " WHERE tenant = ? AND status = ? ORDER BY created_at, file_id LIMIT ?",
                row -> read(row, sealer),
                tenant,
                FileStatus.IN_PROGRESS.wireName(),
                limit));
  }

  @Override
  public long inProgressCount() {
    return Sql.transaction(
        database,
        sql ->
            sql.number(
                "SELECT COUNT(*) FROM knowledge_store_files WHERE tenant = ? AND status = ?",
                tenant,
                FileStatus.IN_PROGRESS.wireName()));
  }

  @Override
  public void updateAttributes(String store, String file, Map<String, Object> attributes) {
    Sealer sealer = Sealer.of(keys, owner);
    Sql.transaction(
        database,
        sql ->
            sql.update(
                "UPDATE knowledge_store_files SET attributes = ?"
                    + " WHERE tenant = ? AND store_id = ? AND file_id = ?",
                sealer.seal(Purpose.FILE_ATTRIBUTES, Attributes.write(attributes)),
                tenant,
                store,
                file));
  }

  @Override
  public boolean complete(String store, String file, long usageBytes) {
    return Sql.transaction(
        database,
        sql -> {
          int updated =
              sql.update(
                  "UPDATE knowledge_store_files SET status = ?, usage_bytes = ?"
                      + " WHERE tenant = ? AND store_id = ? AND file_id = ? AND status = ?",
                  FileStatus.COMPLETED.wireName(),
                  usageBytes,
                  tenant,
                  store,
                  file,
                  FileStatus.IN_PROGRESS.wireName());
          if (updated == 1) {
            change(sql, tenant, store, file, false);
          }
          return updated == 1;
        });
  }

  @Override
  public void fail(String store, String file, FileError error) {
    end(store, file, FileStatus.FAILED, error);
  }

  @Override
  public void cancel(String store, String file) {
    end(store, file, FileStatus.CANCELLED, null);
  }

  private void end(String store, String file, FileStatus status, @Nullable FileError error) {
    Sql.transaction(
        database,
        sql -> {
          int updated =
              sql.update(
                  "UPDATE knowledge_store_files SET status = ?, error_code = ?, error_message = ?"
                      + " WHERE tenant = ? AND store_id = ? AND file_id = ? AND status = ?",
                  status.wireName(),
                  error == null ? null : error.code(),
                  error == null ? null : error.message(),
                  tenant,
                  store,
                  file,
                  FileStatus.IN_PROGRESS.wireName());
          return updated == 0 ? 0 : removeChunks(sql, tenant, store, file);
        });
  }

  @Override
  public boolean detach(String store, String file) {
    return Sql.transaction(database, sql -> detach(sql, tenant, store, file));
  }

  static boolean detach(Sql sql, String tenant, String store, String file) throws SQLException {
    int removed =
        sql.update(
            "DELETE FROM knowledge_store_files WHERE tenant = ? AND store_id = ? AND file_id = ?",
            tenant,
            store,
            file);
    if (removed == 0) {
      return false;
    }
    removeChunks(sql, tenant, store, file);
    change(sql, tenant, store, file, true);
    return true;
  }

  private static int removeChunks(Sql sql, String tenant, String store, String file)
      throws SQLException {
    return sql.update(
        "DELETE FROM knowledge_chunks WHERE tenant = ? AND store_id = ? AND file_id = ?",
        tenant,
        store,
        file);
  }

  /** Numbers a change; the row of the store is locked until the transaction ends, so in order. */
  private static void change(Sql sql, String tenant, String store, String file, boolean removed)
      throws SQLException {
    sql.update(
        "UPDATE knowledge_stores SET change_seq = change_seq + 1 WHERE tenant = ? AND id = ?",
        tenant,
        store);
    long sequence =
        sql.number(
            "SELECT change_seq FROM knowledge_stores WHERE tenant = ? AND id = ?", tenant, store);
    sql.update(
        "DELETE FROM knowledge_changes WHERE tenant = ? AND store_id = ? AND file_id = ?",
        tenant,
        store,
        file);
    sql.update(
        "INSERT INTO knowledge_changes (tenant, store_id, file_id, seq, removed)"
            + " VALUES (?, ?, ?, ?, ?)",
        tenant,
        store,
        file,
        sequence,
        removed);
    if (removed && sequence > REMOVALS_KEPT) {
      prune(sql, tenant, store, sequence - REMOVALS_KEPT);
    }
  }

  private static void prune(Sql sql, String tenant, String store, long upTo) throws SQLException {
    int pruned =
        sql.update(
            "DELETE FROM knowledge_changes WHERE tenant = ? AND store_id = ? AND removed = ?"
                + " AND seq <= ?",
            tenant,
            store,
            true,
            upTo);
    if (pruned > 0) {
      sql.update(
          "UPDATE knowledge_stores SET pruned_seq = ? WHERE tenant = ? AND id = ?",
          upTo,
          tenant,
          store);
    }
  }

  @Override
  public Map<String, Entry> entries(String store) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.transaction(
        database,
        sql -> {
          Map<String, Entry> entries = new HashMap<>();
          sql.query(
              "SELECT s.file_id, f.filename, s.attributes FROM knowledge_store_files s"
                  + " JOIN knowledge_files f ON f.tenant = s.tenant AND f.id = s.file_id"
                  + " WHERE s.tenant = ? AND s.store_id = ? AND s.status = ?",
              row ->
                  entries.put(row.getString(1), entry(sealer, row.getString(2), row.getString(3))),
              tenant,
              store,
              FileStatus.COMPLETED.wireName());
          return entries;
        });
  }

  @Override
  public @Nullable Entry entry(String store, String file) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable Entry>transaction(
        database,
        sql ->
            sql.first(
                "SELECT f.filename, s.attributes FROM knowledge_store_files s"
                    + " JOIN knowledge_files f ON f.tenant = s.tenant AND f.id = s.file_id"
                    + " WHERE s.tenant = ? AND s.store_id = ? AND s.file_id = ? AND s.status = ?",
                row -> entry(sealer, row.getString(1), row.getString(2)),
                tenant,
                store,
                file,
                FileStatus.COMPLETED.wireName()));
  }

  private static Entry entry(Sealer sealer, String filename, String attributes) {
    return new Entry(
        sealer.open(Purpose.FILE_NAME, filename),
        Attributes.readAttributes(sealer.open(Purpose.FILE_ATTRIBUTES, attributes)));
  }

  private static StoreFile read(ResultSet row, Sealer sealer) throws SQLException {
    String code = row.getString(4);
    String message = row.getString(5);
    return new StoreFile(
        row.getString(1),
        row.getString(2),
        FileStatus.of(row.getString(3)),
        code == null ? null : new FileError(code, message == null ? "" : message),
        Attributes.readAttributes(sealer.open(Purpose.FILE_ATTRIBUTES, row.getString(6))),
        row.getLong(7),
        new ChunkingStrategy(row.getBoolean(8), row.getInt(9), row.getInt(10)),
        Instant.ofEpochMilli(row.getLong(11)));
  }
}
