package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.retrieval.AttributeFilter;
import dev.rowhouse.retrieval.ChunkingStrategy;
import dev.rowhouse.tenant.FieldReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.jspecify.annotations.Nullable;

/** The parts of bodies that more than one knowledge route reads. */
final class KnowledgeBodies {
  static final int NAME_LENGTH_MAX = 256;

  /** Files that one body names. */
  static final int FILES_MAX = 500;

  private static final long BODY_BYTES_MAX = 1024 * 1024;
  private static final int PAIRS_MAX = 16;
  private static final int KEY_LENGTH_MAX = 64;
  private static final int VALUE_LENGTH_MAX = 512;

  private KnowledgeBodies() {}

  /** Reads the body, a JSON object or nothing; one that is broken is answered here. */
  static CompletionStage<HttpResponse> read(
      Call call, Function<FieldReader, CompletionStage<HttpResponse>> next) {
    return call.withBody(
        BODY_BYTES_MAX,
        Replies::openAiError,
        bytes ->
            switch (bytes.isEmpty()
                ? new Json.Parsed.Document(Json.object())
                : Json.parseObject(bytes)) {
              case Json.Parsed.Broken broken ->
                  CompletableFuture.completedFuture(Replies.openAiError(broken.refusal()));
              case Json.Parsed.Document document -> next.apply(FieldReader.of(document.root()));
            });
  }

  /** The answer to a body with errors. */
  static CompletionStage<HttpResponse> bad(FieldReader body) {
    return CompletableFuture.completedFuture(
        Replies.openAiError(Replies.badRequest(body.errors())));
  }

  static Map<String, String> metadata(FieldReader body) {
    return body.entries(
        "metadata",
        PAIRS_MAX,
        KEY_LENGTH_MAX,
        (entries, name) -> entries.text(name, VALUE_LENGTH_MAX));
  }

  static Map<String, Object> attributes(FieldReader body) {
    Map<String, Object> attributes = new HashMap<>();
    body.entries("attributes", PAIRS_MAX, KEY_LENGTH_MAX, KnowledgeBodies::attribute)
        .forEach(attributes::put);
    return attributes;
  }

  private static @Nullable Object attribute(FieldReader entries, String name) {
    JsonNode node = entries.node(name);
    if (node == null) {
      return null;
    }
    Object value = value(node);
    if (value == null || (value instanceof String text && text.length() > VALUE_LENGTH_MAX)) {
      entries.error(
          name,
          "must be a string of at most " + VALUE_LENGTH_MAX + " characters, a number or a boolean");
      return null;
    }
    return value;
  }

  private static @Nullable Object value(JsonNode node) {
    if (node.isTextual()) {
      return node.textValue();
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return node.longValue();
    }
    return node.isNumber() ? node.doubleValue() : null;
  }

  /** Days of {@code expires_after}; absent: no word about it. */
  static @Nullable Integer expiresAfterDays(FieldReader body) {
    if (body.node("expires_after") == null) {
      return null;
    }
    FieldReader expires = body.object("expires_after");
    String anchor = expires.text("anchor", KEY_LENGTH_MAX);
    if (!"last_active_at".equals(anchor)) {
      expires.error("anchor", "must be last_active_at");
    }
    Long days = expires.integer("days", 1, 365);
    if (days == null) {
      expires.error("days", "must be a whole number from 1 to 365");
    }
    expires.close();
    return days == null ? null : Math.toIntExact(days);
  }

  static ChunkingStrategy chunking(FieldReader body) {
    if (body.node("chunking_strategy") == null) {
      return ChunkingStrategy.AUTO;
    }
    FieldReader strategy = body.object("chunking_strategy");
    String type = strategy.text("type", KEY_LENGTH_MAX);
    if (type == null || type.equals("auto")) {
      return ChunkingStrategy.AUTO;
    }
    if (!type.equals("static")) {
      strategy.error("type", "must be auto or static");
      return ChunkingStrategy.AUTO;
    }
    FieldReader fixed = strategy.object("static");
    int size =
        fixed.integer(
            "max_chunk_size_tokens",
            ChunkingStrategy.SIZE_TOKENS_MIN,
            ChunkingStrategy.SIZE_TOKENS_MAX,
            800);
    int overlap = fixed.integer("chunk_overlap_tokens", 0, size / 2, Math.min(400, size / 2));
    return ChunkingStrategy.ofStatic(size, overlap);
  }

  /** OpenAI's filter of a search; absent: none. */
  static @Nullable AttributeFilter filter(FieldReader body) {
    JsonNode node = body.node("filters");
    if (node == null) {
      return null;
    }
    AttributeFilter filter = filter(body, node, "filters", 1);
    if (filter != null && filter.conditions() > AttributeFilter.CONDITIONS_MAX) {
      body.error(
          "filters", "must compare with at most " + AttributeFilter.CONDITIONS_MAX + " values");
    }
    return filter;
  }

  private static @Nullable AttributeFilter filter(
      FieldReader body, JsonNode node, String at, int depth) {
    if (depth > AttributeFilter.DEPTH_MAX) {
      body.error(at, "is nested deeper than " + AttributeFilter.DEPTH_MAX + " levels");
      return null;
    }
    String type = node.path("type").asText("");
    if (type.equals("and") || type.equals("or")) {
      List<AttributeFilter> filters = new ArrayList<>();
      JsonNode list = node.path("filters");
      if (!list.isArray() || list.isEmpty()) {
        body.error(at + ".filters", "must be a list of filters that is not empty");
        return null;
      }
      for (int i = 0; i < list.size(); i++) {
        AttributeFilter one = filter(body, list.get(i), at + ".filters[" + i + "]", depth + 1);
        if (one != null) {
          filters.add(one);
        }
      }
      return type.equals("and")
          ? new AttributeFilter.And(filters)
          : new AttributeFilter.Or(filters);
    }
    if (!node.path("key").isTextual()) {
      body.error(at + ".key", "must be a string");
      return null;
    }
    String key = node.path("key").textValue();
    if (type.equals("in") || type.equals("nin")) {
      List<Object> values = new ArrayList<>();
      for (JsonNode one : node.path("value")) {
        Object value = value(one);
        if (value != null) {
          values.add(value);
        }
      }
      return new AttributeFilter.In(key, values, type.equals("nin"));
    }
    Object value = value(node.path("value"));
    AttributeFilter.Operator operator = null;
    for (AttributeFilter.Operator one : AttributeFilter.Operator.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(type)) {
        operator = one;
      }
    }
    if (operator == null) {
      body.error(at + ".type", "must be one of and, or, eq, ne, gt, gte, lt, lte, in, nin");
      return null;
    }
    if (value == null) {
      body.error(at + ".value", "must be a string, a number or a boolean");
      return null;
    }
    return new AttributeFilter.Comparison(operator, key, value);
  }
}
