package dev.rowhouse.inference;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object as bytes, with the place of each of its members. The whole text is checked in one
 * pass; members that nobody looks into are later copied as they stand. Of members with the same
 * name the last one counts, as in a tree.
 */
final class JsonMembers {
  /** How deep a request or an answer may nest; the parser stops before its stack does. */
  static final int DEPTH_MAX = 64;

  static final ObjectMapper MAPPER =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxNestingDepth(DEPTH_MAX).build())
              .build());

  /** Looks into a member while it passes: the parser stands at its value and must end there. */
  @FunctionalInterface
  interface Reader {
    void read(String name, JsonParser parser) throws IOException;
  }

  private record Range(int from, int to) {}

  private final byte[] bytes;
  private final Map<String, Range> members = new LinkedHashMap<>();

  private JsonMembers(byte[] bytes) {
    this.bytes = bytes;
  }

  static JsonMembers parse(byte[] bytes) throws IOException {
    return parse(bytes, (_, parser) -> parser.skipChildren());
  }

  static JsonMembers parse(byte[] bytes, Reader reader) throws IOException {
    JsonMembers result = new JsonMembers(bytes);
    try (JsonParser parser = MAPPER.getFactory().createParser(bytes)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new JsonParseException(parser, "not a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        int from = (int) parser.currentTokenLocation().getByteOffset();
        reader.read(name, parser);
        parser.finishToken();
        int to = (int) parser.currentLocation().getByteOffset();
        result.members.remove(name);
        result.members.put(name, new Range(from, to));
      }
      if (parser.nextToken() != null) {
        throw new JsonParseException(parser, "more than one JSON value");
      }
    }
    return result;
  }

  boolean has(String name) {
    return members.containsKey(name);
  }

  /** The member as a tree; absent when there is none. */
  @Nullable JsonNode tree(String name) throws IOException {
    Range range = members.get(name);
    return range == null ? null : MAPPER.readTree(bytes, range.from(), range.to() - range.from());
  }

  /** Writes {@code "name":value} of each member but these, with commas between them. */
  boolean writeWithout(Set<String> without, JsonBytes out) {
    boolean written = false;
    for (var member : members.entrySet()) {
      if (!without.contains(member.getKey())) {
        if (written) {
          out.raw(",");
        }
        out.string(member.getKey()).raw(":");
        out.raw(bytes, member.getValue().from(), member.getValue().to());
        written = true;
      }
    }
    return written;
  }

  /** Writes the value of a member that is there. */
  void writeValue(String name, JsonBytes out) {
    Range range = members.get(name);
    if (range == null) {
      throw new IllegalArgumentException("no member " + name);
    }
    out.raw(bytes, range.from(), range.to());
  }

  int size() {
    return bytes.length;
  }
}
