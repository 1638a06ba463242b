package dev.rowhouse.retrieval;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Gatherers;
import org.jspecify.annotations.Nullable;

/**
 * The files of one tenant and their pieces on Cassandra, sealed as they lie there.
 *
 * <p>A file is a row: uploading, then processed, then deleting, each by a lightweight transaction
 * on that row. Its bytes are a partition that the row names. A deletion marks the row first, which
 * is when the file is gone for everybody, takes it out of its stores, removes the bytes, and at
 * last the row; a note written before makes a sweep go on with it. A file that is being deleted is
 * in no answer of a search, because its row is asked for every passage.
 */
final class CqlFiles {
  static final String DELETING = "deleting";

  /** Ids in one query, and rows in one removal. */
  private static final int IDS_TOGETHER = 100;

  private final Cassandra cassandra;
  private final String tenant;
  private final CqlStoreFiles storeFiles;
  private final CqlDoubts doubts;

  CqlFiles(Cassandra cassandra, TenantId tenant, CqlStoreFiles storeFiles, CqlDoubts doubts) {
    this.cassandra = cassandra;
    this.tenant = tenant.value();
    this.storeFiles = storeFiles;
    this.doubts = doubts;
  }

  /**
   * A file or upload.
   *
   * @param filename sealed
   * @param sizeBytes 0 until the upload is finished
   */
  record FileRow(
      String id,
      UUID content,
      String filename,
      String purpose,
      String status,
      long sizeBytes,
      Instant createdAt) {
    boolean is(String wanted) {
      return status.equals(wanted);
    }
  }

  private static final String COLUMNS =
      "file_id, content, filename, purpose, status, size_bytes, created_at";

  @Nullable FileRow get(String id) {
    return first(cassandra.one(oneCql(), tenant, id));
  }

  private @Nullable FileRow getSerial(String id) {
    return first(cassandra.executeSerial(oneCql(), tenant, id).one());
  }

  private static String oneCql() {
    return "select " + COLUMNS + " from rowhouse_knowledge_files where tenant = ? and file_id = ?";
  }

  private static @Nullable FileRow first(@Nullable Row row) {
    return row == null ? null : read(row);
  }

  private static FileRow read(Row row) {
    return new FileRow(
        String.valueOf(row.getString("file_id")),
        Objects.requireNonNull(row.getUuid("content"), "a file names its content"),
        String.valueOf(row.getString("filename")),
        String.valueOf(row.getString("purpose")),
        String.valueOf(row.getString("status")),
        row.getLong("size_bytes"),
        Objects.requireNonNullElse(row.getInstant("created_at"), Instant.EPOCH));
  }

  /** Those of the ids that are files, by id. */
  Map<String, FileRow> processed(List<String> ids) {
    Map<String, FileRow> found = new HashMap<>();
    for (List<String> some : ids.stream().gather(Gatherers.windowFixed(IDS_TOGETHER)).toList()) {
      for (Row row :
          cassandra.all(
              "select "
                  + COLUMNS
                  + " from rowhouse_knowledge_files where tenant = ? and file_id in ?",
              tenant,
              some)) {
        FileRow file = read(row);
        if (file.is(FileTable.PROCESSED)) {
          found.put(file.id(), file);
        }
      }
    }
    return found;
  }

  /** Everything the tenant has or begins; the number of its files is bounded. */
  List<FileRow> all() {
    List<FileRow> all = new ArrayList<>();
    for (Row row :
        cassandra.execute(
            "select " + COLUMNS + " from rowhouse_knowledge_files where tenant = ?", tenant)) {
      all.add(read(row));
    }
    return all;
  }

  void begin(String id, String filename, String purpose, Instant now) {
    FileRow known = get(id);
    if (known != null && !known.is(DELETING)) {
      return;
    }
    if (known != null) {
      finishDeletion(known);
    }
    UUID content = UUID.randomUUID();
    doubts.write(tenant, CqlDoubts.Kind.UPLOAD, id, "", content, now);
    boolean begun =
        cassandra.decide(
            () -> {
              FileRow row = getSerial(id);
              return row != null && row.content().equals(content);
            },
            "insert into rowhouse_knowledge_files"
                + " (tenant, file_id, content, filename, purpose, status, size_bytes, created_at)"
                + " values (?, ?, ?, ?, ?, ?, 0, ?) if not exists",
            tenant,
            id,
            content,
            filename,
            purpose,
            FileTable.UPLOADING,
            now);
    if (!begun && getSerial(id) == null) {
      throw new StorageFailure("the upload " + id + " could not be begun", null);
    }
  }

  /** The sizes of the pieces that have arrived, by ordinal. */
  Map<Integer, Integer> sizes(UUID content) {
    Map<Integer, Integer> sizes = new HashMap<>();
    for (Row row :
        cassandra.execute(
            "select ordinal, size_bytes from rowhouse_knowledge_pieces"
                + " where tenant = ? and content = ? and kind = 0",
            tenant,
            content)) {
      sizes.put(row.getInt("ordinal"), row.getInt("size_bytes"));
    }
    return sizes;
  }

  static long sum(Map<Integer, Integer> sizes) {
    return sizes.values().stream().mapToLong(Integer::longValue).sum();
  }

  /** Adds a piece to an upload; false when the upload has gone meanwhile. */
  boolean add(FileRow upload, int ordinal, int sizeBytes, byte[] sealed) {
    cassandra.executeInOnePartition(
        List.of(
            cassandra.bind(
                "insert into rowhouse_knowledge_pieces (tenant, content, kind, ordinal, piece)"
                    + " values (?, ?, 1, ?, ?)",
                tenant,
                upload.content(),
                ordinal,
                sealed),
            cassandra.bind(
                "insert into rowhouse_knowledge_pieces (tenant, content, kind, ordinal, size_bytes)"
                    + " values (?, ?, 0, ?, ?)",
                tenant,
                upload.content(),
                ordinal,
                sizeBytes)));
    FileRow after = get(upload.id());
    boolean there =
        after != null && after.content().equals(upload.content()) && !after.is(DELETING);
    if (!there) {
      removePieces(upload.content());
    }
    return there;
  }

  byte @Nullable [] piece(UUID content, int ordinal) {
    Row row =
        cassandra.one(
            "select piece from rowhouse_knowledge_pieces"
                + " where tenant = ? and content = ? and kind = 1 and ordinal = ?",
            tenant,
            content,
            ordinal);
    return row == null ? null : Cassandra.bytes(row, "piece");
  }

  /** Makes a file of an upload. */
  boolean finish(FileRow upload, long sizeBytes) {
    return moved(upload, FileTable.UPLOADING, FileTable.PROCESSED, sizeBytes);
  }

  private boolean moved(FileRow row, String from, String to, long sizeBytes) {
    return cassandra.decide(
        () -> {
          FileRow after = getSerial(row.id());
          return after != null && after.content().equals(row.content()) && after.is(to);
        },
        "update rowhouse_knowledge_files set status = ?, size_bytes = ?"
            + " where tenant = ? and file_id = ? if content = ? and status = ?",
        to,
        sizeBytes,
        tenant,
        row.id(),
        row.content(),
        from);
  }

  /** Removes a file or an upload from everywhere. */
  boolean delete(String id) {
    FileRow row = get(id);
    if (row == null) {
      return false;
    }
    if (row.is(FileTable.UPLOADING)) {
      return removeUpload(row);
    }
    boolean was = false;
    if (row.is(FileTable.PROCESSED)) {
      doubts.write(tenant, CqlDoubts.Kind.FILE, id, "", row.content());
      was = moved(row, FileTable.PROCESSED, DELETING, row.sizeBytes());
    }
    finishDeletion(row);
    return was;
  }

  private void finishDeletion(FileRow row) {
    FileRow now = getSerial(row.id());
    if (now == null || !now.content().equals(row.content()) || !now.is(DELETING)) {
      return;
    }
    storeFiles.detachFromAll(row.id());
    removePieces(row.content());
    remove(row, DELETING);
  }

  private boolean remove(FileRow row, String status) {
    return cassandra.decide(
        () -> {
          FileRow after = getSerial(row.id());
          return after == null || !after.content().equals(row.content());
        },
        "delete from rowhouse_knowledge_files where tenant = ? and file_id = ?"
            + " if content = ? and status = ?",
        tenant,
        row.id(),
        row.content(),
        status);
  }

  /** False when it was finished or removed meanwhile. */
  boolean removeUpload(FileRow upload) {
    // Again, later: a piece may be on its way.
    doubts.write(tenant, CqlDoubts.Kind.UPLOAD, upload.id(), "", upload.content());
    boolean removed = remove(upload, FileTable.UPLOADING);
    if (removed) {
      removePieces(upload.content());
    }
    return removed;
  }

  /** Looks at an old note; true when it was of an unfinished upload, which is gone now. */
  boolean mend(String id, UUID content) {
    FileRow row = getSerial(id);
    if (row == null || !row.content().equals(content)) {
      removePieces(content);
      return false;
    }
    if (row.is(DELETING)) {
      finishDeletion(row);
    }
    return row.is(FileTable.UPLOADING) && removeUpload(row);
  }

  private void removePieces(UUID content) {
    cassandra.run(pieceRemoval(content));
  }

  private BoundStatement pieceRemoval(UUID content) {
    return cassandra.bind(
        "delete from rowhouse_knowledge_pieces where tenant = ? and content = ?", tenant, content);
  }

  /** Removes all files with their bytes, for an erasure: nothing else runs meanwhile. */
  void removeAll() {
    for (List<FileRow> some : all().stream().gather(Gatherers.windowFixed(IDS_TOGETHER)).toList()) {
      cassandra.executeTogether(some.stream().map(row -> pieceRemoval(row.content())).toList());
      List<BoundStatement> removals = new ArrayList<>();
      for (FileRow row : some) {
        // One condition makes all of them one transaction, in order with those before.
        String condition = removals.isEmpty() ? " if exists" : "";
        removals.add(
            cassandra.bind(
                "delete from rowhouse_knowledge_files where tenant = ? and file_id = ?" + condition,
                tenant,
                row.id()));
      }
      if (!cassandra.decide(() -> getSerial(some.getFirst().id()) == null, removals)) {
        throw new StorageFailure("files came or went while their tenant was erased", null);
      }
    }
  }
}
