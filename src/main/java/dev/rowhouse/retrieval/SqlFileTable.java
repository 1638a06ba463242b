package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Files and their pieces in SQL. */
final class SqlFileTable implements FileTable {
  private static final String COLUMNS = "id, filename, purpose, size_bytes, created_at";

  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  SqlFileTable(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.keys = keys;
    this.tenant = tenant.value();
  }

  @Override
  public Held held() {
    return Sql.transaction(
        database,
        sql ->
            new Held(
                sql.number("SELECT COUNT(*) FROM knowledge_files WHERE tenant = ?", tenant),
                sql.number("SELECT SUM(size_bytes) FROM knowledge_files WHERE tenant = ?", tenant),
                sql.number(
                    "SELECT COUNT(*) FROM knowledge_files WHERE tenant = ? AND status = ?",
                    tenant,
                    UPLOADING)));
  }

  @Override
  public void begin(String id, String filename, String purpose, Instant now) {
    Sealer sealer = Sealer.of(keys, owner);
    Sql.transaction(
        database,
        sql ->
            sql.number(
                        "SELECT COUNT(*) FROM knowledge_files WHERE tenant = ? AND id = ?",
                        tenant,
                        id)
                    > 0
                ? 0
                : sql.update(
                    "INSERT INTO knowledge_files (tenant, id, filename, purpose, size_bytes,"
                        + " created_at, status) VALUES (?, ?, ?, ?, 0, ?, ?)",
                    tenant,
                    id,
                    sealer.seal(Purpose.FILE_NAME, filename),
                    purpose,
                    now.toEpochMilli(),
                    UPLOADING));
  }

  @Override
  public Appended append(String id, int ordinal, byte[] content, long fileBytesMax) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.transaction(
        database,
        sql -> {
          Long size =
              sql.first(
                  "SELECT size_bytes FROM knowledge_files WHERE tenant = ? AND id = ?"
                      + " AND status = ? FOR UPDATE",
                  row -> row.getLong(1),
                  tenant,
                  id,
                  UPLOADING);
          if (size == null) {
            return exists(sql, id) ? Appended.STORED : Appended.UNKNOWN_UPLOAD;
          }
          if (sql.number(
                  "SELECT COUNT(*) FROM knowledge_pieces WHERE tenant = ? AND file_id = ?"
                      + " AND ordinal = ?",
                  tenant,
                  id,
                  ordinal)
              > 0) {
            return Appended.STORED;
          }
          if (size + content.length > fileBytesMax) {
            return Appended.TOO_LARGE;
          }
          sql.update(
              "INSERT INTO knowledge_pieces (tenant, file_id, ordinal, content)"
                  + " VALUES (?, ?, ?, ?)",
              tenant,
              id,
              ordinal,
              sealer.seal(Purpose.FILE_CONTENT, content));
          sql.update(
              "UPDATE knowledge_files SET size_bytes = size_bytes + ? WHERE tenant = ? AND id = ?",
              content.length,
              tenant,
              id);
          return Appended.STORED;
        });
  }

  @Override
  public boolean exists(String id) {
    return Sql.transaction(database, sql -> exists(sql, id));
  }

  private boolean exists(Sql sql, String id) throws SQLException {
    return sql.number(
            "SELECT COUNT(*) FROM knowledge_files WHERE tenant = ? AND id = ?", tenant, id)
        > 0;
  }

  @Override
  public boolean finish(String id, int pieces) {
    return Sql.transaction(
        database,
        sql -> {
          long stored =
              sql.number(
                  "SELECT COUNT(*) FROM knowledge_pieces WHERE tenant = ? AND file_id = ?"
                      + " AND ordinal < ?",
                  tenant,
                  id,
                  pieces);
          long all =
              sql.number(
                  "SELECT COUNT(*) FROM knowledge_pieces WHERE tenant = ? AND file_id = ?",
                  tenant,
                  id);
          return stored == pieces
              && all == pieces
              && sql.update(
                      "UPDATE knowledge_files SET status = ? WHERE tenant = ? AND id = ?",
                      PROCESSED,
                      tenant,
                      id)
                  == 1;
        });
  }

  @Override
  public @Nullable StoredFile get(String id) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable StoredFile>transaction(
        database,
        sql ->
            sql.first(
                "SELECT "
                    + COLUMNS
                    + " FROM knowledge_files WHERE tenant = ? AND id = ?"
                    + " AND status = ?",
                row -> read(row, sealer),
                tenant,
                id,
                PROCESSED));
  }

  @Override
  public @Nullable Page<StoredFile> list(PageRequest page, @Nullable String purpose) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<@Nullable Page<StoredFile>>transaction(
        database,
        sql -> {
          Keyset keyset = Keyset.of(sql, "knowledge_files", tenant, page);
          if (keyset == null) {
            return null;
          }
          String where =
              "SELECT "
                  + COLUMNS
                  + " FROM knowledge_files WHERE tenant = ?"
                  + " AND status = ?"
                  + (purpose == null ? "" : " AND purpose = ?");
          @Nullable Object[] arguments =
              purpose == null
                  ? keyset.arguments(tenant, PROCESSED)
                  : keyset.arguments(tenant, PROCESSED, purpose);
          List<StoredFile> rows =
              sql.query(
                  where + keyset.clause("created_at", "id"), row -> read(row, sealer), arguments);
          return Page.of(rows, page.limit());
        });
  }

  @Override
  public int pieces(String id) {
    return Sql.transaction(
        database,
        sql ->
            (int)
                sql.number(
                    "SELECT COUNT(*) FROM knowledge_pieces WHERE tenant = ? AND file_id = ?",
                    tenant,
                    id));
  }

  @Override
  public byte @Nullable [] piece(String id, int ordinal) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.<byte @Nullable []>transaction(
        database,
        sql ->
            sql.first(
                "SELECT content FROM knowledge_pieces WHERE tenant = ? AND file_id = ?"
                    + " AND ordinal = ?",
                row -> sealer.open(Purpose.FILE_CONTENT, row.getBytes(1)),
                tenant,
                id,
                ordinal));
  }

  @Override
  public boolean delete(String id) {
    return Sql.transaction(
        database,
        sql -> {
          List<String> stores =
              sql.query(
                  "SELECT store_id FROM knowledge_store_files WHERE tenant = ? AND file_id = ?",
                  row -> row.getString(1),
                  tenant,
                  id);
          for (String store : stores) {
            SqlStoreFileTable.detach(sql, tenant, store, id);
          }
          removePieces(sql, id);
          return sql.update("DELETE FROM knowledge_files WHERE tenant = ? AND id = ?", tenant, id)
              == 1;
        });
  }

  @Override
  public int deleteUploadsBefore(Instant limit) {
    return Sql.transaction(
        database,
        sql -> {
          List<String> ids =
              sql.query(
                  "SELECT id FROM knowledge_files WHERE tenant = ? AND status = ?"
                      + " AND created_at < ?",
                  row -> row.getString(1),
                  tenant,
                  UPLOADING,
                  limit.toEpochMilli());
          for (String id : ids) {
            removePieces(sql, id);
            sql.update("DELETE FROM knowledge_files WHERE tenant = ? AND id = ?", tenant, id);
          }
          return ids.size();
        });
  }

  private void removePieces(Sql sql, String id) throws SQLException {
    sql.update("DELETE FROM knowledge_pieces WHERE tenant = ? AND file_id = ?", tenant, id);
  }

  private static StoredFile read(ResultSet row, Sealer sealer) throws SQLException {
    return new StoredFile(
        row.getString(1),
        sealer.open(Purpose.FILE_NAME, row.getString(2)),
        row.getString(3),
        row.getLong(4),
        Instant.ofEpochMilli(row.getLong(5)));
  }
}
