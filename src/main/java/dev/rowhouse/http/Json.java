package dev.rowhouse.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Refusal;
import java.io.IOException;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.util.ByteString;

/** JSON in and out, with the limits that input has. */
final class Json {
  /** Deeper input is refused: no client of ours nests like that, and recursion costs stack. */
  static final int DEPTH_MAX = 64;

  static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEPTH_MAX)
                          .maxStringLength(64 * 1024 * 1024)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build();

  private Json() {}

  /** What a text turned out to be. */
  sealed interface Parsed {
    record Document(JsonNode root) implements Parsed {}

    record Broken(Refusal refusal) implements Parsed {}
  }

  static Parsed parseObject(ByteString bytes) {
    if (bytes.isEmpty()) {
      return broken("The body is empty; a JSON object is expected.");
    }
    try {
      JsonNode root = MAPPER.readTree(bytes.toArrayUnsafe());
      return root != null && root.isObject()
          ? new Parsed.Document(root)
          : broken("The body must be a JSON object.");
    } catch (StreamConstraintsException e) {
      return broken("The JSON is nested deeper than " + DEPTH_MAX + " levels or has a huge token.");
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      String where =
          at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
      return broken("The body is not valid JSON" + where + ".");
    } catch (IOException e) {
      // Of bytes in memory only their encoding can be wrong.
      return broken("The body is not valid JSON: it must be UTF-8.");
    }
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static ByteString bytes(JsonNode node) {
    try {
      return ByteString.fromArrayUnsafe(MAPPER.writeValueAsBytes(node));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of ours is always writable", e);
    }
  }

  static HttpEntity.Strict entity(JsonNode node) {
    return HttpEntities.create(ContentTypes.APPLICATION_JSON, bytes(node));
  }

  private static Parsed broken(String message) {
    return new Parsed.Broken(new Refusal(400, "invalid_request_error", message, null, 0, false));
  }
}
