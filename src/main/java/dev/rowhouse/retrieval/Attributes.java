package dev.rowhouse.retrieval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The limits of attributes and metadata (OpenAI's), and their form in the tables: JSON. */
final class Attributes {
  private static final int PAIRS_MAX = 16;
  private static final int KEY_CHARS_MAX = 64;
  private static final int VALUE_CHARS_MAX = 512;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<Map<String, Object>> ATTRIBUTES = new TypeReference<>() {};
  private static final TypeReference<Map<String, String>> METADATA = new TypeReference<>() {};

  private Attributes() {}

  /** What is wrong with the pairs; null when nothing is. */
  static @Nullable String problem(Map<String, ?> pairs) {
    if (pairs.size() > PAIRS_MAX) {
      return "at most 16 pairs";
    }
    for (var pair : pairs.entrySet()) {
      if (pair.getKey().isEmpty() || pair.getKey().length() > KEY_CHARS_MAX) {
        return "a key has 1 to 64 characters";
      }
      Object value = pair.getValue();
      boolean fits =
          switch (value) {
            case String text -> text.length() <= VALUE_CHARS_MAX;
            case Double number -> Double.isFinite(number);
            case Boolean _, Integer _, Long _ -> true;
            case null, default -> false;
          };
      if (!fits) {
        return "a value is a string of at most 512 characters, a number or a boolean";
      }
    }
    return null;
  }

  static String write(Map<String, ?> pairs) {
    try {
      return JSON.writeValueAsString(pairs);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("attributes that are no JSON", e);
    }
  }

  static Map<String, Object> readAttributes(String json) {
    try {
      return JSON.readValue(json, ATTRIBUTES);
    } catch (JsonProcessingException e) {
      throw new StorageFailure("attributes that are no JSON", e);
    }
  }

  static Map<String, String> readMetadata(String json) {
    try {
      return JSON.readValue(json, METADATA);
    } catch (JsonProcessingException e) {
      throw new StorageFailure("metadata that is no JSON", e);
    }
  }
}
