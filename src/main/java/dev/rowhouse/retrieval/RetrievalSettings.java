package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import java.time.Duration;

/** The limits and times of this room; conf/retrieval.conf says what each is for. */
record RetrievalSettings(
    Files files, Stores stores, Ingest ingest, Search search, Index index, Entity entity) {
  record Files(
      long bytesMax,
      int perTenantMax,
      long bytesPerTenantMax,
      int pieceBytesMax,
      int uploadsOpenMax,
      Duration uploadTimeout) {}

  record Stores(int perTenantMax, int filesMax, int batchFilesMax) {}

  record Ingest(
      int chunkCharsMax,
      int chunksPerFileMax,
      int queueLengthMax,
      int nodeParallelMax,
      int chunksPerStep,
      int attemptsMax,
      Duration retryAfter) {}

  record Search(
      int queryCharsMax,
      int storesMax,
      int resultsMax,
      Duration catchUpTimeout,
      Duration askTimeout,
      int replyBytesMax) {}

  record Index(
      Duration retryMin,
      Duration retryMax,
      Duration unusedAfter,
      Duration sweepEvery,
      int directoriesPerSweepMax) {}

  record Entity(
      String role,
      int operationsMax,
      int waitingMax,
      Duration waitingTimeout,
      Duration tick,
      Duration indexIdle,
      Duration passivateAfter,
      Duration stopTimeout) {}

  /** Reads {@code rowhouse.retrieval}. */
  static RetrievalSettings from(Config config) {
    Config files = config.getConfig("files");
    Config stores = config.getConfig("stores");
    Config ingest = config.getConfig("ingestion");
    Config search = config.getConfig("search");
    Config index = config.getConfig("index");
    Config entity = config.getConfig("entity");
    return new RetrievalSettings(
        new Files(
            files.getBytes("bytes-max"),
            files.getInt("per-tenant-max"),
            files.getBytes("bytes-per-tenant-max"),
            Math.toIntExact(files.getBytes("piece-bytes-max")),
            files.getInt("uploads-open-max"),
            files.getDuration("upload-timeout")),
        new Stores(
            stores.getInt("per-tenant-max"),
            stores.getInt("files-max"),
            stores.getInt("batch-files-max")),
        new Ingest(
            ingest.getInt("chunk-chars-max"),
            ingest.getInt("chunks-per-file-max"),
            ingest.getInt("queue-length-max"),
            ingest.getInt("node-parallel-max"),
            ingest.getInt("chunks-per-step"),
            ingest.getInt("attempts-max"),
            ingest.getDuration("retry-after")),
        new Search(
            search.getInt("query-chars-max"),
            search.getInt("stores-max"),
            search.getInt("results-max"),
            search.getDuration("catch-up-timeout"),
            search.getDuration("ask-timeout"),
            Math.toIntExact(search.getBytes("reply-bytes-max"))),
        new Index(
            index.getDuration("retry-min"),
            index.getDuration("retry-max"),
            index.getDuration("unused-after"),
            index.getDuration("sweep-every"),
            index.getInt("directories-per-sweep-max")),
        new Entity(
            entity.getString("role"),
            entity.getInt("operations-max"),
            entity.getInt("waiting-max"),
            entity.getDuration("waiting-timeout"),
            entity.getDuration("tick"),
            entity.getDuration("index-idle"),
            entity.getDuration("passivate-after"),
            entity.getDuration("stop-timeout")));
  }
}
