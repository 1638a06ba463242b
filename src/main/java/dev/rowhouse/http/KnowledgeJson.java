package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.retrieval.ChunkingStrategy;
import dev.rowhouse.retrieval.FileBatch;
import dev.rowhouse.retrieval.FileCounts;
import dev.rowhouse.retrieval.FileError;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.retrieval.Passage;
import dev.rowhouse.retrieval.StoreFile;
import dev.rowhouse.retrieval.StoredFile;
import dev.rowhouse.retrieval.VectorStore;
import dev.rowhouse.serving.Refusal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Files, stores, batches and search results as OpenAI's clients read them. */
final class KnowledgeJson {
  private KnowledgeJson() {}

  static ObjectNode file(StoredFile file) {
    return Json.object()
        .put("id", file.id())
        .put("object", "file")
        .put("bytes", file.sizeBytes())
        .put("created_at", file.createdAt().getEpochSecond())
        .put("filename", file.filename())
        .put("purpose", file.purpose())
        .put("status", "processed");
  }

  static ObjectNode store(VectorStore store, Instant now) {
    ObjectNode node =
        Json.object()
            .put("id", store.id())
            .put("object", "vector_store")
            .put("created_at", store.createdAt().getEpochSecond())
            .put("name", store.name())
            .put("usage_bytes", store.usageBytes());
    node.set("file_counts", counts(store.counts()));
    node.put(
        "status",
        store.expired(now)
            ? "expired"
            : store.counts().inProgress() > 0 ? "in_progress" : "completed");
    node.put("last_active_at", store.lastActiveAt().getEpochSecond());
    Integer days = store.expiresAfterDays();
    Instant expiresAt = store.expiresAt();
    if (days != null && expiresAt != null) {
      node.putObject("expires_after").put("anchor", "last_active_at").put("days", days);
      node.put("expires_at", expiresAt.getEpochSecond());
    } else {
      node.putNull("expires_at");
    }
    ObjectNode metadata = node.putObject("metadata");
    store.metadata().forEach(metadata::put);
    return node;
  }

  static ObjectNode storeFile(StoreFile file) {
    ObjectNode node =
        Json.object()
            .put("id", file.fileId())
            .put("object", "vector_store.file")
            .put("created_at", file.createdAt().getEpochSecond())
            .put("vector_store_id", file.storeId())
            .put("status", file.status().wireName())
            .put("usage_bytes", file.usageBytes());
    FileError error = file.lastError();
    if (error == null) {
      node.putNull("last_error");
    } else {
      node.putObject("last_error").put("code", error.code()).put("message", error.message());
    }
    node.set("attributes", attributes(file.attributes()));
    ChunkingStrategy chunking = file.chunking();
    node.putObject("chunking_strategy")
        .put("type", "static")
        .putObject("static")
        .put("max_chunk_size_tokens", chunking.maxChunkSizeTokens())
        .put("chunk_overlap_tokens", chunking.chunkOverlapTokens());
    return node;
  }

  static ObjectNode batch(FileBatch batch) {
    ObjectNode node =
        Json.object()
            .put("id", batch.id())
            .put("object", "vector_store.files_batch")
            .put("created_at", batch.createdAt().getEpochSecond())
            .put("vector_store_id", batch.storeId())
            .put("status", batch.status().wireName());
    node.set("file_counts", counts(batch.counts()));
    return node;
  }

  static ObjectNode passage(Passage passage) {
    ObjectNode node =
        Json.object()
            .put("file_id", passage.fileId())
            .put("filename", passage.filename())
            .put("score", passage.score());
    node.set("attributes", attributes(passage.attributes()));
    node.putArray("content").addObject().put("type", "text").put("text", passage.text());
    return node;
  }

  static ObjectNode deleted(KnowledgeReply.Deleted deleted) {
    return Json.object()
        .put("id", deleted.id())
        .put("object", deleted.kind() + ".deleted")
        .put("deleted", true);
  }

  /** A page in OpenAI's list form. */
  static <T> ObjectNode page(
      List<T> items, boolean hasMore, Function<T, ObjectNode> json, Function<T, String> id) {
    ObjectNode node = Json.object().put("object", "list");
    var data = node.putArray("data");
    items.forEach(item -> data.add(json.apply(item)));
    node.put("first_id", items.isEmpty() ? null : id.apply(items.getFirst()));
    node.put("last_id", items.isEmpty() ? null : id.apply(items.getLast()));
    return node.put("has_more", hasMore);
  }

  static Refusal refusal(KnowledgeReply.Refusal refusal) {
    return switch (refusal) {
      case KnowledgeReply.NotFound missing ->
          new Refusal(
              404,
              missing.kind().replace('.', '_') + "_not_found",
              "There is no " + missing.kind() + " '" + missing.id() + "'.",
              null,
              0,
              false);
      case KnowledgeReply.Invalid invalid ->
          Replies.badRequest(invalid.param(), invalid.param() + ": " + invalid.message() + ".");
      case KnowledgeReply.TooLarge large ->
          new Refusal(
              413,
              "request_too_large",
              large.message() + ". The limit is " + large.limitBytes() + " bytes.",
              null,
              0,
              false);
      case KnowledgeReply.Busy busy ->
          new Refusal(
              503,
              "knowledge_busy",
              "The documents of this tenant are busy. Try again shortly.",
              null,
              busy.retryAfterMillis(),
              true);
      case KnowledgeReply.Unavailable away ->
          new Refusal(
              503,
              "knowledge_unavailable",
              "The documents of this tenant cannot be reached. Try again shortly.",
              null,
              away.retryAfterMillis(),
              true);
    };
  }

  private static ObjectNode counts(FileCounts counts) {
    return Json.object()
        .put("in_progress", counts.inProgress())
        .put("completed", counts.completed())
        .put("failed", counts.failed())
        .put("cancelled", counts.cancelled())
        .put("total", counts.total());
  }

  static ObjectNode attributes(Map<String, Object> attributes) {
    ObjectNode node = Json.object();
    attributes.forEach(
        (key, value) -> node.set(key, Json.MAPPER.<JsonNode>valueToTree((@Nullable Object) value)));
    return node;
  }
}
