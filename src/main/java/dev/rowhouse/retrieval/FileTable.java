package dev.rowhouse.retrieval;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files of one tenant and their pieces. A file is being uploaded until {@link #finish}, and
 * only then can it be seen.
 */
sealed interface FileTable permits SqlFileTable, CqlFileTable {
  String UPLOADING = "uploading";
  String PROCESSED = "processed";

  /** What the tenant holds, uploads included. */
  record Held(long files, long bytes, long uploads) {}

  Held held();

  /** Opens an upload; again is nothing new. */
  void begin(String id, String filename, String purpose, Instant now);

  /** What became of a piece. */
  enum Appended {
    STORED,
    UNKNOWN_UPLOAD,
    TOO_LARGE
  }

  /** Stores a piece; the same piece again is nothing new. */
  Appended append(String id, int ordinal, byte[] content, long fileBytesMax);

  /** Whether there is such a file or upload. */
  boolean exists(String id);

  /** Whether all pieces are there and the file can be seen; again is nothing new. */
  boolean finish(String id, int pieces);

  @Nullable StoredFile get(String id);

  /** The first of these that is no file; null when all are. */
  default @Nullable String firstMissing(List<String> ids) {
    for (String id : ids) {
      if (get(id) == null) {
        return id;
      }
    }
    return null;
  }

  /** Null when the cursor names no file. */
  @Nullable Page<StoredFile> list(PageRequest page, @Nullable String purpose);

  /** How many pieces a file has. */
  int pieces(String id);

  byte @Nullable [] piece(String id, int ordinal);

  /** All bytes of a file; uploads are bounded, so this is too. */
  default byte[] content(String id) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int count = pieces(id);
    for (int ordinal = 0; ordinal < count; ordinal++) {
      byte[] piece = piece(id, ordinal);
      if (piece != null) {
        all.writeBytes(piece);
      }
    }
    return all.toByteArray();
  }

  /** Removes a file from everywhere; false when there is none. */
  boolean delete(String id);

  /** Removes uploads that nobody finished; returns how many. */
  int deleteUploadsBefore(Instant limit);
}
