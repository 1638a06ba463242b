package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.retrieval.CqlStoreFiles.FileRow;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Gatherers;

/**
 * Chunks on Cassandra: a partition for each attempt at a file, at most some 40 MB. Rows are only
 * added; what is to go goes as a whole, so that a scan meets nothing that is deleted.
 */
final class CqlChunkTable implements ChunkTable {
  /** Chunks in one write: some 20 KB each at most, below what Cassandra warns of. */
  private static final int CHUNKS_TOGETHER = 8;

  private final Cassandra cassandra;
  private final CqlStores stores;
  private final CqlStoreFiles storeFiles;
  private final TenantId owner;
  private final String tenant;
  private final DataKeys keys;

  CqlChunkTable(
      Cassandra cassandra,
      CqlStores stores,
      CqlStoreFiles storeFiles,
      TenantId tenant,
      DataKeys keys) {
    this.cassandra = cassandra;
    this.stores = stores;
    this.storeFiles = storeFiles;
    this.owner = tenant;
    this.tenant = tenant.value();
    this.keys = keys;
  }

  @Override
  public boolean add(String store, String file, List<Embedded> chunks) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = storeFiles.get(store, file);
    if (row == null || row.status() != FileStatus.IN_PROGRESS) {
      return false;
    }
    for (List<Embedded> some :
        chunks.stream().gather(Gatherers.windowFixed(CHUNKS_TOGETHER)).toList()) {
      List<BoundStatement> rows = new ArrayList<>();
      for (Embedded embedded : some) {
        Chunk chunk = embedded.chunk();
        rows.add(
            cassandra.bind(
                "insert into rowhouse_knowledge_chunks (tenant, attempt, ordinal, heading, body,"
                    + " overlap_chars, embedding) values (?, ?, ?, ?, ?, ?, ?)",
                tenant,
                row.attempt(),
                chunk.ordinal(),
                sealer.seal(Purpose.CHUNK_HEADING, chunk.heading()),
                sealer.seal(Purpose.CHUNK_TEXT, chunk.text()),
                chunk.overlapChars(),
                sealer.seal(Purpose.CHUNK_VECTOR, Vectors.toBytes(embedded.vector()))));
      }
      cassandra.executeInOnePartition(rows);
    }
    // Who took the file out meanwhile has removed its chunks, perhaps before these.
    FileRow after = storeFiles.get(store, file);
    if (after == null || !after.attempt().equals(row.attempt())) {
      cassandra.run(stores.chunkRemoval(row.attempt()));
      return false;
    }
    return after.status() == FileStatus.IN_PROGRESS;
  }

  @Override
  public List<Embedded> read(String store, String file, int from, int limit) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow owned = storeFiles.get(store, file);
    if (owned == null) {
      return List.of();
    }
    List<Embedded> chunks = new ArrayList<>();
    for (Row row :
        cassandra.all(
            "select ordinal, heading, body, overlap_chars, embedding"
                + " from rowhouse_knowledge_chunks"
                + " where tenant = ? and attempt = ? and ordinal >= ? limit ?",
            tenant,
            owned.attempt(),
            from,
            limit)) {
      byte[] vector = Cassandra.bytes(row, "embedding");
      chunks.add(
          new Embedded(
              new Chunk(
                  row.getInt("ordinal"),
                  sealer.open(Purpose.CHUNK_HEADING, String.valueOf(row.getString("heading"))),
                  sealer.open(Purpose.CHUNK_TEXT, String.valueOf(row.getString("body"))),
                  row.getInt("overlap_chars")),
              Vectors.fromBytes(
                  sealer.open(
                      Purpose.CHUNK_VECTOR,
                      Objects.requireNonNull(vector, "a chunk has a vector")))));
    }
    return chunks;
  }

  @Override
  public void clear(String store, String file) {
    storeFiles.startAgain(store, file);
  }
}
