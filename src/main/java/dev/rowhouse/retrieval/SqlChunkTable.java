package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.util.List;

/** Chunks in SQL; the row of the file is locked while some are added. */
final class SqlChunkTable implements ChunkTable {
  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  SqlChunkTable(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.keys = keys;
    this.tenant = tenant.value();
  }

  @Override
  public boolean add(String store, String file, List<Embedded> chunks) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.transaction(
        database,
        sql -> {
          String status =
              sql.first(
                  "SELECT status FROM knowledge_store_files"
                      + " WHERE tenant = ? AND store_id = ? AND file_id = ? FOR UPDATE",
                  row -> row.getString(1),
                  tenant,
                  store,
                  file);
          if (status == null || FileStatus.of(status) != FileStatus.IN_PROGRESS) {
            return false;
          }
          for (Embedded embedded : chunks) {
            Chunk chunk = embedded.chunk();
            sql.update(
                "DELETE FROM knowledge_chunks WHERE tenant = ? AND store_id = ? AND file_id = ?"
                    + " AND ordinal = ?",
                tenant,
                store,
                file,
                chunk.ordinal());
            sql.update(
                "INSERT INTO knowledge_chunks (tenant, store_id, file_id, ordinal, heading, body,"
                    + " overlap_chars, embedding) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                tenant,
                store,
                file,
                chunk.ordinal(),
                sealer.seal(Purpose.CHUNK_HEADING, chunk.heading()),
                sealer.seal(Purpose.CHUNK_TEXT, chunk.text()),
                chunk.overlapChars(),
                sealer.seal(Purpose.CHUNK_VECTOR, Vectors.toBytes(embedded.vector())));
          }
          return true;
        });
  }

  @Override
  public List<Embedded> read(String store, String file, int from, int limit) {
    Sealer sealer = Sealer.of(keys, owner);
    return Sql.transaction(
        database,
        sql ->
            sql.query(
                "SELECT ordinal, heading, body, overlap_chars, embedding FROM knowledge_chunks"
                    + " WHERE tenant = ? AND store_id = ? AND file_id = ? AND ordinal >= ?"
                    + " ORDER BY ordinal LIMIT ?",
                row ->
                    new Embedded(
                        new Chunk(
                            row.getInt(1),
                            sealer.open(Purpose.CHUNK_HEADING, row.getString(2)),
                            sealer.open(Purpose.CHUNK_TEXT, row.getString(3)),
                            row.getInt(4)),
                        Vectors.fromBytes(sealer.open(Purpose.CHUNK_VECTOR, row.getBytes(5)))),
                tenant,
                store,
                file,
                from,
                limit));
  }

  @Override
  public void clear(String store, String file) {
    Sql.transaction(
        database,
        sql ->
            sql.update(
                "DELETE FROM knowledge_chunks WHERE tenant = ? AND store_id = ? AND file_id = ?",
                tenant,
                store,
                file));
  }
}
