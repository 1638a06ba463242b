package dev.rowhouse.node;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** The operator of a node: {@code /admin/...} with the operator token. */
public final class Operator extends ApiClient {
  /** Limits that no test means to meet. */
  private static final String WIDE =
      """
      {"requests_per_minute": 60000, "tokens_per_minute": 50000000,
       "concurrent_requests": 500, "queue_length": 500}\
      """;

  public Operator(URI base, @Nullable String token) {
    super(base, token);
  }

  /** Onboards a tenant with wide limits and returns its first key. */
  public String onboard(String tenant) {
    return onboard(tenant, "{}");
  }

  /** Onboards a tenant; what the body leaves out of {@code limits} altogether is wide. */
  public String onboard(String tenant, String body) {
    try {
      ObjectNode profile = (ObjectNode) Reply.JSON.readTree(body);
      if (!profile.has("limits")) {
        profile.set("limits", Reply.JSON.readTree(WIDE));
      }
      Reply reply = put("/admin/tenants/" + tenant, profile.toString()).expect(201);
      return reply.json().path("api_key").path("key").asText();
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new AssertionError("the test's own body is not JSON: " + body, e);
    }
  }

  /** A model behind an OpenAI-compatible upstream that every tenant may use. */
  public void addModel(String name, URI upstream, int slots) {
    Reply reply =
        put(
            "/admin/models/" + name,
            """
            {"engine": "openai", "base_url": "%s", "slots": %d,
             "price": {"input_per_million": 1, "output_per_million": 2}}\
            """
                .formatted(upstream, slots));
    if (reply.status() != 200 && reply.status() != 201) {
      throw new AssertionError("model " + name + ": " + reply.status() + " " + reply.body());
    }
  }
}
