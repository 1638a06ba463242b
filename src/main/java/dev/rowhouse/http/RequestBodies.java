package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * The schemas of request bodies for the OpenAPI documents, of the calls whose fields are the
 * house's own. They are written by hand in {@code openapi/request-bodies.json}; a test holds them
 * against the readers.
 */
final class RequestBodies {
  private static final String FILE = "/openapi/request-bodies.json";
  private static final JsonNode ALL = read();

  private RequestBodies() {}

  /**
   * The schema of that call's body; null: there is none. A merge patch has the fields of a PUT,
   * where there is one.
   */
  static @Nullable ObjectNode schema(String method, String pattern) {
    JsonNode own = ALL.get(method + " " + pattern);
    JsonNode schema = own == null && method.equals("PATCH") ? ALL.get("PUT " + pattern) : own;
    return schema instanceof ObjectNode found ? found.deepCopy() : null;
  }

  /** What schemas refer to, as {@code #/components/schemas}. */
  static JsonNode shared() {
    return ALL.path("schemas").deepCopy();
  }

  private static JsonNode read() {
    try (InputStream in = RequestBodies.class.getResourceAsStream(FILE)) {
      if (in == null) {
        throw new IllegalStateException("the program lacks " + FILE);
      }
      return Json.MAPPER.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
