package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.retrieval.CqlStores.Head;
import dev.rowhouse.retrieval.CqlStores.Step;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Gatherers;
import org.jspecify.annotations.Nullable;

/**
 * The files in the stores of one tenant on Cassandra, sealed as they lie there.
 *
 * <p>Each time a file comes into a store it gets an attempt of its own, which names the partition
 * of its chunks. When it leaves, a note is written, then the row goes, then the chunks: a crash in
 * between leaves chunks that nobody reads, and a sweep removes them.
 */
final class CqlStoreFiles {
  /** Ids in one query. */
  private static final int IDS_TOGETHER = 100;

  /** Rows and bytes in one transaction; Cassandra refuses batches over 640 KiB. */
  private static final int ROWS_TOGETHER = 50;

  private static final int BYTES_TOGETHER = 256 * 1024;

  private static final String COLUMNS =
      "file_id, attempt, status, error_code, error_message, attributes, file_bytes, file_chunks,"
          + " chunk_auto, chunk_tokens, chunk_overlap, attached_at, change";

  private final Cassandra cassandra;
  private final String tenant;
  private final CqlStores stores;
  private final CqlDoubts doubts;

  CqlStoreFiles(Cassandra cassandra, TenantId tenant, CqlStores stores, CqlDoubts doubts) {
    this.cassandra = cassandra;
    this.tenant = tenant.value();
    this.stores = stores;
    this.doubts = doubts;
  }

  /**
   * A file in a store.
   *
   * @param attributes sealed
   * @param change the number of the change that completed it; 0 when it is not completed
   */
  record FileRow(
      String id,
      UUID attempt,
      FileStatus status,
      @Nullable FileError error,
      String attributes,
      long bytes,
      int chunks,
      ChunkingStrategy chunking,
      Instant attachedAt,
      long change) {}

  @Nullable FileRow get(String store, String file) {
    Row row = cassandra.one(oneCql(), tenant, store, file);
    return row == null ? null : read(row);
  }

  private static String oneCql() {
    return "select "
        + COLUMNS
        + " from rowhouse_knowledge_stores"
        + " where tenant = ? and store_id = ? and kind = 0 and number = 0 and file_id = ?";
  }

  private static FileRow read(Row row) {
    String code = row.getString("error_code");
    return new FileRow(
        String.valueOf(row.getString("file_id")),
        Objects.requireNonNull(row.getUuid("attempt"), "a file in a store has an attempt"),
        FileStatus.of(String.valueOf(row.getString("status"))),
        code == null
            ? null
            : new FileError(code, Objects.requireNonNullElse(row.getString("error_message"), "")),
        String.valueOf(row.getString("attributes")),
        row.getLong("file_bytes"),
        row.getInt("file_chunks"),
        new ChunkingStrategy(
            row.getBoolean("chunk_auto"), row.getInt("chunk_tokens"), row.getInt("chunk_overlap")),
        Objects.requireNonNullElse(row.getInstant("attached_at"), Instant.EPOCH),
        row.getLong("change"));
  }

  List<FileRow> get(String store, List<String> files) {
    List<FileRow> rows = new ArrayList<>();
    for (List<String> some : files.stream().gather(Gatherers.windowFixed(IDS_TOGETHER)).toList()) {
      for (Row row :
          cassandra.all(
              "select "
                  + COLUMNS
                  + " from rowhouse_knowledge_stores where tenant = ? and store_id = ?"
                  + " and kind = 0 and number = 0 and file_id in ?",
              tenant,
              store,
              some)) {
        rows.add(read(row));
      }
    }
    return rows;
  }

  /** What a list is made from. */
  record Brief(String id, FileStatus status, Instant attachedAt) {}

  /** All files of a store; their number is bounded. Read by pages of the driver. */
  List<Brief> briefs(String store) {
    List<Brief> briefs = new ArrayList<>();
    ResultSet rows =
        cassandra.execute(
            "select file_id, status, attached_at from rowhouse_knowledge_stores"
                + " where tenant = ? and store_id = ? and kind = 0 and number = 0",
            tenant,
            store);
    for (Row row : rows) {
      briefs.add(
          new Brief(
              String.valueOf(row.getString("file_id")),
              FileStatus.of(String.valueOf(row.getString("status"))),
              Objects.requireNonNullElse(row.getInstant("attached_at"), Instant.EPOCH)));
    }
    return briefs;
  }

  void attach(
      String store, List<String> files, String attributes, ChunkingStrategy chunking, Instant now) {
    List<String> once = List.copyOf(new LinkedHashSet<>(files));
    int together = Math.clamp(BYTES_TOGETHER / (attributes.length() + 512), 1, ROWS_TOGETHER);
    for (List<String> some : once.stream().gather(Gatherers.windowFixed(together)).toList()) {
      List<UUID> replaced =
          stores.change(
              store, List.of(), head -> attached(store, head, some, attributes, chunking, now));
      replaced.forEach(attempt -> cassandra.run(stores.chunkRemoval(attempt)));
    }
  }

  private Step<List<UUID>> attached(
      String store,
      Head head,
      List<String> files,
      String attributes,
      ChunkingStrategy chunking,
      Instant now) {
    List<BoundStatement> rows = new ArrayList<>();
    List<UUID> replaced = new ArrayList<>();
    FileCounts counts = head.counts();
    for (String file : files) {
      FileRow known = get(store, file);
      if (known != null) {
        switch (known.status()) {
          case IN_PROGRESS, COMPLETED -> {
            continue;
          }
          case FAILED, CANCELLED -> {
            doubt(store, known);
            replaced.add(known.attempt());
            counts = counts.plus(known.status(), -1);
          }
        }
      }
      counts = counts.plus(FileStatus.IN_PROGRESS, 1);
      rows.add(
          cassandra.bind(
              "insert into rowhouse_knowledge_stores (tenant, store_id, kind, number, file_id,"
                  + " attempt, status, error_code, error_message, attributes, file_bytes,"
                  + " file_chunks, chunk_auto, chunk_tokens, chunk_overlap, attached_at, change)"
                  + " values (?, ?, 0, 0, ?, ?, ?, null, null, ?, 0, 0, ?, ?, ?, ?, 0)",
              tenant,
              store,
              file,
              UUID.randomUUID(),
              FileStatus.IN_PROGRESS.wireName(),
              attributes,
              chunking.auto(),
              chunking.maxChunkSizeTokens(),
              chunking.chunkOverlapTokens(),
              now));
    }
    return rows.isEmpty()
        ? new Step.Nothing<>(List.of())
        : new Step.Write<>(
            head.holding(counts, head.usageBytes(), head.chunks()), rows, List.copyOf(replaced));
  }

  private void doubt(String store, FileRow row) {
    doubts.write(tenant, CqlDoubts.Kind.CHUNKS, store, row.id(), row.attempt());
  }

  void updateAttributes(String store, String file, String attributes) {
    var _ =
        stores.change(
            store,
            false,
            head ->
                get(store, file) == null
                    ? new Step.Nothing<>(false)
                    : new Step.Write<>(
                        head,
                        List.of(
                            cassandra.bind(
                                "update rowhouse_knowledge_stores set attributes = ?" + whereFile(),
                                attributes,
                                tenant,
                                store,
                                file)),
                        true));
  }

  private static String whereFile() {
    return " where tenant = ? and store_id = ? and kind = 0 and number = 0 and file_id = ?";
  }

  boolean complete(String store, String file, long usageBytes) {
    return stores.change(
        store,
        false,
        head -> {
          FileRow row = get(store, file);
          if (row == null || row.status() != FileStatus.IN_PROGRESS) {
            return new Step.Nothing<>(false);
          }
          int chunks = chunks(row.attempt());
          List<BoundStatement> rows = new ArrayList<>();
          rows.add(
              cassandra.bind(
                  "update rowhouse_knowledge_stores set status = ?, file_bytes = ?,"
                      + " file_chunks = ?, change = ?"
                      + whereFile(),
                  FileStatus.COMPLETED.wireName(),
                  usageBytes,
                  chunks,
                  head.changes() + 1,
                  tenant,
                  store,
                  file));
          Head changed = number(store, file, false, head, rows);
          return new Step.Write<>(
              changed.holding(
                  moved(head.counts(), row.status(), FileStatus.COMPLETED),
                  head.usageBytes() + usageBytes,
                  head.chunks() + chunks),
              rows,
              true);
        });
  }

  /** How many chunks an attempt has: its ordinals have no gaps. */
  int chunks(UUID attempt) {
    Row last =
        cassandra.one(
            "select ordinal from rowhouse_knowledge_chunks where tenant = ? and attempt = ?"
                + " order by ordinal desc limit 1",
            tenant,
            attempt);
    return last == null ? 0 : last.getInt("ordinal") + 1;
  }

  private static FileCounts moved(FileCounts counts, FileStatus from, FileStatus to) {
    return counts.plus(from, -1).plus(to, 1);
  }

  /** Numbers a change, and forgets the one that nobody need catch up with any more. */
  private Head number(
      String store, String file, boolean removed, Head head, List<BoundStatement> rows) {
    long number = head.changes() + 1;
    rows.add(
        cassandra.bind(
            "insert into rowhouse_knowledge_stores (tenant, store_id, kind, number, file_id,"
                + " removed) values (?, ?, 1, ?, ?, ?)",
            tenant,
            store,
            number,
            file,
            removed));
    long oldest = number - StoreFileTable.REMOVALS_KEPT;
    Row old =
        oldest <= 0
            ? null
            : cassandra.one(
                "select file_id, removed from rowhouse_knowledge_stores"
                    + " where tenant = ? and store_id = ? and kind = 1 and number = ? limit 1",
                tenant,
                store,
                oldest);
    if (old == null || !old.getBoolean("removed")) {
      return head.changed(head.pruned());
    }
    rows.add(changeRemoval(store, oldest, String.valueOf(old.getString("file_id"))));
    return head.changed(oldest);
  }

  private BoundStatement changeRemoval(String store, long number, String file) {
    return cassandra.bind(
        "delete from rowhouse_knowledge_stores where tenant = ? and store_id = ? and kind = 1"
            + " and number = ? and file_id = ?",
        tenant,
        store,
        number,
        file);
  }

  /** From in progress to an end without a result. */
  void end(String store, List<String> files, FileStatus status, @Nullable FileError error) {
    for (List<String> some : files.stream().gather(Gatherers.windowFixed(ROWS_TOGETHER)).toList()) {
      List<UUID> ended =
          stores.change(store, List.of(), head -> ended(store, head, some, status, error));
      ended.forEach(attempt -> cassandra.run(stores.chunkRemoval(attempt)));
    }
  }

  private Step<List<UUID>> ended(
      String store, Head head, List<String> files, FileStatus status, @Nullable FileError error) {
    List<BoundStatement> rows = new ArrayList<>();
    List<UUID> ended = new ArrayList<>();
    FileCounts counts = head.counts();
    for (FileRow row : get(store, files)) {
      if (row.status() == FileStatus.IN_PROGRESS) {
        doubt(store, row);
        ended.add(row.attempt());
        counts = moved(counts, row.status(), status);
        rows.add(
            cassandra.bind(
                "update rowhouse_knowledge_stores set status = ?, error_code = ?,"
                    + " error_message = ?"
                    + whereFile(),
                status.wireName(),
                error == null ? null : error.code(),
                error == null ? null : error.message(),
                tenant,
                store,
                row.id()));
      }
    }
    return rows.isEmpty()
        ? new Step.Nothing<>(List.of())
        : new Step.Write<>(
            head.holding(counts, head.usageBytes(), head.chunks()), rows, List.copyOf(ended));
  }

  /** False when the file was not in the store. */
  boolean detach(String store, String file) {
    List<UUID> gone =
        stores.change(
            store,
            List.of(),
            head -> {
              FileRow row = get(store, file);
              if (row == null) {
                return new Step.Nothing<>(List.of());
              }
              doubt(store, row);
              List<BoundStatement> rows = new ArrayList<>();
              rows.add(
                  cassandra.bind(
                      "delete from rowhouse_knowledge_stores" + whereFile(), tenant, store, file));
              if (row.change() > 0) {
                rows.add(changeRemoval(store, row.change(), file));
              }
              Head changed = number(store, file, true, head, rows);
              return new Step.Write<>(
                  changed.holding(
                      head.counts().plus(row.status(), -1),
                      head.usageBytes() - row.bytes(),
                      head.chunks() - row.chunks()),
                  rows,
                  List.of(row.attempt()));
            });
    gone.forEach(attempt -> cassandra.run(stores.chunkRemoval(attempt)));
    return !gone.isEmpty();
  }

  /** Takes the file out of every store of the tenant. */
  void detachFromAll(String file) {
    for (String store : stores.ids()) {
      var _ = detach(store, file);
    }
  }

  /** Gives a file that is in progress another attempt, so that its old chunks are nobody's. */
  void startAgain(String store, String file) {
    List<UUID> left =
        stores.change(
            store,
            List.of(),
            head -> {
              FileRow row = get(store, file);
              if (row == null || row.status() != FileStatus.IN_PROGRESS) {
                return new Step.Nothing<>(List.of());
              }
              doubt(store, row);
              return new Step.Write<>(
                  head,
                  List.of(
                      cassandra.bind(
                          "update rowhouse_knowledge_stores set attempt = ?" + whereFile(),
                          UUID.randomUUID(),
                          tenant,
                          store,
                          file)),
                  List.of(row.attempt()));
            });
    left.forEach(attempt -> cassandra.run(stores.chunkRemoval(attempt)));
  }

  /** Removes the chunks of an attempt unless a file still has it. */
  void mend(String store, String file, UUID attempt) {
    Row row = cassandra.executeSerial(oneCql(), tenant, store, file).one();
    FileRow known = row == null ? null : read(row);
    boolean owned =
        known != null
            && known.attempt().equals(attempt)
            && switch (known.status()) {
              case IN_PROGRESS, COMPLETED -> true;
              case FAILED, CANCELLED -> false;
            };
    if (!owned) {
      cassandra.run(stores.chunkRemoval(attempt));
    }
  }
}
