package dev.rowhouse.retrieval;

import dev.rowhouse.retrieval.CqlFiles.FileRow;
import dev.rowhouse.tenant.DataKey.Purpose;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Files on Cassandra. Pieces of one upload that arrive at the same time are each compared with the
 * limit alone, so that it can be passed by as many pieces as operations run at a time.
 */
final class CqlFileTable implements FileTable {
  private final CqlFiles files;
  private final TenantId owner;
  private final DataKeys keys;

  CqlFileTable(CqlFiles files, TenantId tenant, DataKeys keys) {
    this.files = files;
    this.owner = tenant;
    this.keys = keys;
  }

  @Override
  public Held held() {
    long count = 0;
    long bytes = 0;
    long uploads = 0;
    for (FileRow row : files.all()) {
      count++;
      bytes += row.sizeBytes();
      if (row.is(UPLOADING)) {
        uploads++;
        bytes += CqlFiles.sum(files.sizes(row.content()));
      }
    }
    return new Held(count, bytes, uploads);
  }

  @Override
  public void begin(String id, String filename, String purpose, Instant now) {
    files.begin(id, Sealer.of(keys, owner).seal(Purpose.FILE_NAME, filename), purpose, now);
  }

  @Override
  public Appended append(String id, int ordinal, byte[] content, long fileBytesMax) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = files.get(id);
    if (row == null || row.is(CqlFiles.DELETING)) {
      return Appended.UNKNOWN_UPLOAD;
    }
    if (row.is(PROCESSED)) {
      return Appended.STORED;
    }
    Map<Integer, Integer> sizes = files.sizes(row.content());
    if (sizes.containsKey(ordinal)) {
      return Appended.STORED;
    }
    if (CqlFiles.sum(sizes) + content.length > fileBytesMax) {
      return Appended.TOO_LARGE;
    }
    byte[] sealed = sealer.seal(Purpose.FILE_CONTENT, content);
    return files.add(row, ordinal, content.length, sealed)
        ? Appended.STORED
        : Appended.UNKNOWN_UPLOAD;
  }

  @Override
  public boolean exists(String id) {
    FileRow row = files.get(id);
    return row != null && !row.is(CqlFiles.DELETING);
  }

  @Override
  public boolean finish(String id, int pieces) {
    FileRow row = files.get(id);
    if (row == null || row.is(CqlFiles.DELETING)) {
      return false;
    }
    Map<Integer, Integer> sizes = files.sizes(row.content());
    for (int ordinal = 0; ordinal < pieces; ordinal++) {
      if (!sizes.containsKey(ordinal)) {
        return false;
      }
    }
    if (sizes.size() != pieces) {
      return false;
    }
    if (row.is(PROCESSED) || files.finish(row, CqlFiles.sum(sizes))) {
      return true;
    }
    // The same request may have been faster by another way.
    FileRow after = files.get(id);
    return after != null && after.content().equals(row.content()) && after.is(PROCESSED);
  }

  private @Nullable FileRow processed(String id) {
    FileRow row = files.get(id);
    return row != null && row.is(PROCESSED) ? row : null;
  }

  @Override
  public @Nullable StoredFile get(String id) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = processed(id);
    return row == null ? null : read(row, sealer);
  }

  @Override
  public @Nullable String firstMissing(List<String> ids) {
    Map<String, FileRow> found = files.processed(ids);
    for (String id : ids) {
      if (!found.containsKey(id)) {
        return id;
      }
    }
    return null;
  }

  @Override
  public @Nullable Page<StoredFile> list(PageRequest page, @Nullable String purpose) {
    Sealer sealer = Sealer.of(keys, owner);
    List<FileRow> all = files.all();
    Page<FileRow> rows =
        Pages.of(
            all,
            row -> row.is(PROCESSED) && (purpose == null || purpose.equals(row.purpose())),
            FileRow::createdAt,
            FileRow::id,
            page);
    return rows == null
        ? null
        : new Page<>(rows.items().stream().map(row -> read(row, sealer)).toList(), rows.hasMore());
  }

  @Override
  public int pieces(String id) {
    FileRow row = files.get(id);
    return row == null ? 0 : files.sizes(row.content()).size();
  }

  @Override
  public byte @Nullable [] piece(String id, int ordinal) {
    Sealer sealer = Sealer.of(keys, owner);
    FileRow row = files.get(id);
    byte[] piece = row == null ? null : files.piece(row.content(), ordinal);
    return piece == null ? null : sealer.open(Purpose.FILE_CONTENT, piece);
  }

  @Override
  public boolean delete(String id) {
    return files.delete(id);
  }

  @Override
  public int deleteUploadsBefore(Instant limit) {
    int removed = 0;
    for (FileRow row : files.all()) {
      if (row.is(UPLOADING) && row.createdAt().isBefore(limit) && files.removeUpload(row)) {
        removed++;
      }
    }
    return removed;
  }

  private static StoredFile read(FileRow row, Sealer sealer) {
    return new StoredFile(
        row.id(),
        sealer.open(Purpose.FILE_NAME, row.filename()),
        row.purpose(),
        row.sizeBytes(),
        row.createdAt());
  }
}
