package dev.rowhouse.retrieval;

import java.util.List;

/** The chunks of one tenant's files, with their embeddings. */
sealed interface ChunkTable permits SqlChunkTable, CqlChunkTable {
  /** A chunk and its vector. */
  // The array is written once and read by nobody who compares; a list would box 384 floats.
  @SuppressWarnings("ArrayRecordComponent")
  record Embedded(Chunk chunk, float[] vector) {}

  /** Adds chunks to a file that is in progress. False when it no longer is, and none is left. */
  boolean add(String store, String file, List<Embedded> chunks);

  /** Chunks from an ordinal on, in order. */
  List<Embedded> read(String store, String file, int from, int limit);

  /** Removes what an earlier version of the chunker may have left. */
  void clear(String store, String file);
}
