package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.serving.Idempotency;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The OpenAPI 3.1 document of a plane, made from its table of routes. */
final class OpenApi {
  /** The routes that ask a model. */
  private static final Set<String> IDEMPOTENT = Set.of("/v1/chat/completions", "/v1/embeddings");

  private OpenApi() {}

  static ObjectNode document(
      String title,
      String description,
      String errorMediaType,
      List<? extends Router.Route<?>> open,
      List<? extends Router.Route<?>> keyed) {
    ObjectNode root = Json.object().put("openapi", "3.1.0");
    root.putObject("info")
        .put("title", title)
        .put("version", version())
        .put("description", description)
        .putObject("license")
        .put("name", "Apache-2.0")
        .put("identifier", "Apache-2.0");
    ObjectNode paths = root.putObject("paths");
    open.forEach(route -> path(paths, route, errorMediaType, false));
    keyed.forEach(route -> path(paths, route, errorMediaType, true));
    ObjectNode components = root.putObject("components");
    components.set("schemas", RequestBodies.shared());
    components
        .putObject("securitySchemes")
        .putObject("bearer")
        .put("type", "http")
        .put("scheme", "bearer");
    return root;
  }

  static String version() {
    String version = OpenApi.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  private static void path(
      ObjectNode paths, Router.Route<?> route, String errorMediaType, boolean keyed) {
    ObjectNode path = paths.withObjectProperty(route.pattern());
    ObjectNode operation = path.putObject(route.method().toLowerCase(Locale.ROOT));
    operation.put("summary", route.summary());
    operation.put("operationId", operationId(route));
    ArrayNode parameters = operation.putArray("parameters");
    for (String part : route.parts()) {
      if (part.startsWith("{")) {
        parameters
            .addObject()
            .put("name", part.substring(1, part.length() - 1))
            .put("in", "path")
            .put("required", true)
            .putObject("schema")
            .put("type", "string");
      }
    }
    if (IDEMPOTENT.contains(route.pattern())) {
      parameters
          .addObject()
          .put("name", IdempotentCalls.HEADER)
          .put("in", "header")
          .put("required", false)
          .put("description", "The same key and body again get the first answer, for 24 hours.")
          .putObject("schema")
          .put("type", "string")
          .put("minLength", 1)
          .put("maxLength", Idempotency.KEY_LENGTH_MAX);
    }
    ObjectNode schema = RequestBodies.schema(route.method(), route.pattern());
    if (schema != null) {
      boolean isPatch = route.method().equals("PATCH");
      operation
          .putObject("requestBody")
          .putObject("content")
          .putObject(isPatch ? "application/merge-patch+json" : "application/json")
          .set("schema", schema);
    }
    ObjectNode responses = operation.putObject("responses");
    responses.putObject("2XX").put("description", "Done.");
    if (keyed) {
      error(responses, "4XX", "The request is at fault; the body says how.", errorMediaType);
      error(responses, "5XX", "Our side is at fault; Retry-After says when.", errorMediaType);
      operation.putArray("security").addObject().putArray("bearer");
    }
  }

  private static void error(
      ObjectNode responses, String status, String description, String mediaType) {
    responses
        .putObject(status)
        .put("description", description)
        .putObject("content")
        .putObject(mediaType)
        .putObject("schema")
        .put("type", "object");
  }

  private static String operationId(Router.Route<?> route) {
    StringBuilder id = new StringBuilder(route.method().toLowerCase(Locale.ROOT));
    for (String part : route.parts()) {
      boolean starts = true;
      for (int i = 0; i < part.length(); i++) {
        char c = part.charAt(i);
        if (!Character.isLetterOrDigit(c)) {
          starts = true;
        } else {
          id.append(starts ? Character.toUpperCase(c) : c);
          starts = false;
        }
      }
    }
    return id.toString();
  }
}
