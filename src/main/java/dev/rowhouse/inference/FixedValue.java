package dev.rowhouse.inference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The one value that a JSON Schema allows, if it allows only one: constants, enumerations of one
 * value, null, and objects whose required members are such. Optional members are left out. A schema
 * that leaves a choice needs a model that can choose.
 */
final class FixedValue {
  private FixedValue() {}

  /** The schema leaves a choice at this path. */
  static final class Choice extends Exception {
    Choice(String path, String reason) {
      super("this model cannot choose a value for " + path + ": " + reason);
    }
  }

  static JsonNode of(JsonNode schema) throws Choice {
    return of(schema, "$", 0);
  }

  private static JsonNode of(JsonNode schema, String path, int depth) throws Choice {
    if (depth > JsonMembers.DEPTH_MAX) {
      throw new Choice(path, "it nests too deep");
    }
    if (schema.has("const")) {
      return schema.get("const");
    }
    JsonNode values = schema.path("enum");
    if (values.isArray()) {
      if (values.size() == 1) {
        return values.get(0);
      }
      throw new Choice(path, "its enumeration has " + values.size() + " values");
    }
    String type = schema.path("type").asText();
    if (type.equals("null")) {
      return JsonNodeFactory.instance.nullNode();
    }
    if (!type.equals("object")) {
      throw new Choice(path, type.isEmpty() ? "it has no constant" : "it may be any " + type);
    }
    return object(schema, path, depth);
  }

  private static JsonNode object(JsonNode schema, String path, int depth) throws Choice {
    for (String combined : new String[] {"allOf", "anyOf", "oneOf", "not", "if", "$ref"}) {
      if (schema.has(combined)) {
        throw new Choice(path, "it uses " + combined);
      }
    }
    if (schema.path("minProperties").asInt(0) > schema.path("required").size()) {
      throw new Choice(path, "it wants more members than it names");
    }
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    for (JsonNode name : schema.path("required")) {
      String key = name.asText();
      object.set(key, of(schema.path("properties").path(key), path + "." + key, depth + 1));
    }
    return object;
  }
}
