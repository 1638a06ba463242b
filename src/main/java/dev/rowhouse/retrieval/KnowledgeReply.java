package dev.rowhouse.retrieval;

import java.util.List;

/** What {@link KnowledgeEntity} answers: what was asked for, or a {@link Refusal}. */
public sealed interface KnowledgeReply {
  /** An upload is open; the pieces come next. */
  record UploadReady(String uploadId) implements KnowledgeReply {}

  /** A piece is durable. */
  record PieceStored(String uploadId, int ordinal) implements KnowledgeReply {}

  record FileFound(StoredFile file) implements KnowledgeReply {}

  record FilePage(List<StoredFile> files, boolean hasMore) implements KnowledgeReply {}

  /** A piece of a file's bytes; the ordinals run from 0 to pieces - 1. */
  // The array is the payload of a message and is never compared.
  @SuppressWarnings("ArrayRecordComponent")
  record FilePiece(String fileId, int ordinal, int pieces, byte[] content)
      implements KnowledgeReply {}

  /**
   * It is gone; {@code kind} is {@code file}, {@code vector_store} or {@code vector_store.file}.
   */
  record Deleted(String kind, String id) implements KnowledgeReply {}

  record StoreFound(VectorStore store) implements KnowledgeReply {}

  record StorePage(List<VectorStore> stores, boolean hasMore) implements KnowledgeReply {}

  record StoreFileFound(StoreFile file) implements KnowledgeReply {}

  record StoreFilePage(List<StoreFile> files, boolean hasMore) implements KnowledgeReply {}

  /** The parsed text of a file in a store from an ordinal on; ask again from nextOrdinal. */
  record ContentPage(StoreFile file, List<String> texts, int nextOrdinal, boolean hasMore)
      implements KnowledgeReply {}

  record BatchFound(FileBatch batch) implements KnowledgeReply {}

  record Found(SearchResult result) implements KnowledgeReply {}

  /** Everything of the tenant is removed; how much that was. */
  record Erased(long files, long stores, long chunks) implements KnowledgeReply {}

  /** Why not; each has one HTTP status. */
  sealed interface Refusal extends KnowledgeReply {}

  /** The tenant has no such thing (404); another tenant's is none either. */
  record NotFound(String kind, String id) implements Refusal {}

  /** The request is wrong (400); {@code param} names the field. */
  record Invalid(String param, String message) implements Refusal {}

  /** More than the limit (413). */
  record TooLarge(String message, long limitBytes) implements Refusal {}

  /** Not now (429 or 503): a queue is full, or an index is not ready. */
  record Busy(long retryAfterMillis) implements Refusal {}

  /** The database or the index failed (503). */
  record Unavailable(long retryAfterMillis) implements Refusal {}
}
