package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.util.List;

/** The chunks of one tenant's files, with their embeddings. */
final class ChunkTable {
  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  ChunkTable(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.keys = keys;
    this.tenant = tenant.value();
  }

  /** A chunk and its vector. */
  // The array is written once and read by nobody who compares; a list would box 384 floats.
  @SuppressWarnings("ArrayRecordComponent")
  record Embedded(Chunk chunk, float[] vector) {}

  /**
   * Adds chunks to a file that is in progress. False when it no longer is; its row is locked
   * meanwhile, so that no chunk outlives its file.
   */
  boolean add(String store, String file, List<Embedded> chunks) {
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

  /** Chunks from an ordinal on, in order. */
  List<Embedded> read(String store, String file, int from, int limit) {
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

  /** Removes what an earlier version of the chunker may have left. */
  void clear(String store, String file) {
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
