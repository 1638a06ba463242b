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
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Stores in SQL; a change of what is in one locks its row. */
final class SqlStoreTable implements StoreTable {
  private static final String COLUMNS =
      "id, name, metadata, created_at, last_active_at, expires_days";

  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  SqlStoreTable(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.keys = keys;
    this.tenant = tenant.value();
  }

  @Override
  public void create(
      String id,
      String name,
      Map<String, String> metadata,
      @Nullable Integer expiresAfterDays,
      Instant now) {
    Sealer sealer = Sealer.of(keys, owner);
    Sql.transaction(
        database,
        sql ->
            exists(sql, id)
                ? 0
                : sql.update(
                    "INSERT INTO knowledge_stores (tenant, id, name, metadata, created_at,"
                        + " last_active_at, expires_days, incarnation, change_seq, pruned_seq)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
                    tenant,
                    id,
                    sealer.seal(Purpose.STORE_NAME, name),
                    sealer.seal(Purpose.STORE_METADATA, Attributes.write(metadata)),
                    now.toEpochMilli(),
                    now.toEpochMilli(),
                    expiresAfterDays,
                    UUID.randomUUID().toString()));
  }

  private boolean exists(Sql sql, String id) throws SQLException {
    return sql.number(
            "SELECT COUNT(*) FROM knowledge_stores WHERE tenant = ? AND id = ?", tenant, id)
        > 0;
  }

  @Override
  public long count() {
    return Sql.transaction(
        database,
        sql -> sql.number("SELECT COUNT(*) FROM knowledge_stores WHERE tenant = ?", tenant));
  }

  @Override
  public @Nullable VectorStore get(String id) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable VectorStore>transaction(
        database,
        sql -> {
          VectorStore store =
              sql.first(
                  "SELECT " + COLUMNS + " FROM knowledge_stores WHERE tenant = ? AND id = ?",
                  row -> read(row, sealer),
                  tenant,
                  id);
          return store == null ? null : counted(sql, List.of(store)).getFirst();
        });
  }

  @Override
  public @Nullable Page<VectorStore> list(PageRequest page) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable Page<VectorStore>>transaction(
        database,
        sql -> {
          Keyset keyset = Keyset.of(sql, "knowledge_stores", tenant, page);
          if (keyset == null) {
            return null;
          }
          List<VectorStore> rows =
              sql.query(
                  "SELECT "
                      + COLUMNS
                      + " FROM knowledge_stores WHERE tenant = ?"
                      + keyset.clause("created_at", "id"),
                  row -> read(row, sealer),
                  keyset.arguments(tenant));
          return Page.of(counted(sql, rows), page.limit());
        });
  }

  private List<VectorStore> counted(Sql sql, List<VectorStore> stores) throws SQLException {
    Map<String, FileCounts> counts = new HashMap<>();
    Map<String, Long> usages = new HashMap<>();
    String one = stores.size() == 1 ? " AND store_id = ?" : "";
    Object[] arguments =
        stores.size() == 1 ? new Object[] {tenant, stores.getFirst().id()} : new Object[] {tenant};
    sql.query(
        "SELECT store_id, status, COUNT(*), SUM(usage_bytes) FROM knowledge_store_files"
            + " WHERE tenant = ?"
            + one
            + " GROUP BY store_id, status",
        row -> {
          String store = row.getString(1);
          FileStatus status = FileStatus.of(row.getString(2));
          int files = row.getInt(3);
          counts.put(store, counts.getOrDefault(store, FileCounts.NONE).plus(status, files));
          usages.merge(store, row.getLong(4), Long::sum);
          return status;
        },
        arguments);
    return stores.stream()
        .map(
            store ->
                store.with(
                    counts.getOrDefault(store.id(), FileCounts.NONE),
                    usages.getOrDefault(store.id(), 0L)))
        .toList();
  }

  @Override
  public void update(
      String id, String name, Map<String, String> metadata, @Nullable Integer expiresAfterDays) {
    Sealer sealer = Sealer.of(keys, owner);
    Sql.transaction(
        database,
        sql ->
            sql.update(
                "UPDATE knowledge_stores SET name = ?, metadata = ?, expires_days = ?"
                    + " WHERE tenant = ? AND id = ?",
                sealer.seal(Purpose.STORE_NAME, name),
                sealer.seal(Purpose.STORE_METADATA, Attributes.write(metadata)),
                expiresAfterDays,
                tenant,
                id));
  }

  @Override
  public void touch(String id, Instant now) {
    Sql.transaction(
        database,
        sql ->
            sql.update(
                "UPDATE knowledge_stores SET last_active_at = ? WHERE tenant = ? AND id = ?",
                now.toEpochMilli(),
                tenant,
                id));
  }

  @Override
  public boolean delete(String id) {
    return Sql.transaction(
        database,
        sql -> {
          sql.update(
              "DELETE FROM knowledge_batch_files WHERE tenant = ? AND batch_id IN"
                  + " (SELECT id FROM knowledge_batches WHERE tenant = ? AND store_id = ?)",
              tenant,
              tenant,
              id);
          for (String table :
              List.of(
                  "knowledge_batches",
                  "knowledge_store_files",
                  "knowledge_chunks",
                  "knowledge_changes")) {
            sql.update("DELETE FROM " + table + " WHERE tenant = ? AND store_id = ?", tenant, id);
          }
          return sql.update("DELETE FROM knowledge_stores WHERE tenant = ? AND id = ?", tenant, id)
              == 1;
        });
  }

  @Override
  public @Nullable Version version(String id) {
    return Sql.<@Nullable Version>transaction(
        database,
        sql ->
            sql.first(
                "SELECT incarnation, change_seq, pruned_seq FROM knowledge_stores"
                    + " WHERE tenant = ? AND id = ?",
                row -> new Version(row.getString(1), row.getLong(2), row.getLong(3)),
                tenant,
                id));
  }

  @Override
  public List<Change> changes(String id, long after, int limit) {
    return Sql.transaction(
        database,
        sql ->
            sql.query(
                "SELECT file_id, seq, removed FROM knowledge_changes"
                    + " WHERE tenant = ? AND store_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                row -> new Change(row.getString(1), row.getLong(2), row.getBoolean(3)),
                tenant,
                id,
                after,
                limit));
  }

  private static VectorStore read(ResultSet row, Sealer sealer) throws SQLException {
    int days = row.getInt(6);
    Integer expires = row.wasNull() ? null : Integer.valueOf(days);
    return new VectorStore(
        row.getString(1),
        sealer.open(Purpose.STORE_NAME, row.getString(2)),
        Attributes.readMetadata(sealer.open(Purpose.STORE_METADATA, row.getString(3))),
        Instant.ofEpochMilli(row.getLong(4)),
        Instant.ofEpochMilli(row.getLong(5)),
        expires,
        FileCounts.NONE,
        0);
  }
}
