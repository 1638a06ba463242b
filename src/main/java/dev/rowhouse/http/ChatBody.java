package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A chat completion request as far as the house has to understand it. The body itself goes to the
 * engine as it came; here it is checked and measured.
 *
 * @param outputTokensMax {@code max_completion_tokens}, or the older {@code max_tokens}
 * @param deadlineMillis how long the client will wait, from now; absent: it does not say
 */
record ChatBody(
    @Nullable String model,
    long inputTokens,
    @Nullable Long outputTokensMax,
    boolean stream,
    boolean includeUsage,
    int priority,
    @Nullable Long deadlineMillis,
    Ask.RetrievalChoice retrieval,
    @Nullable String promptName,
    @Nullable Integer promptVersion,
    Map<String, String> variables) {

  private static final int MESSAGES_MAX = 2_048;
  private static final int PARTS_MAX = 512;
  private static final int NAME_LENGTH_MAX = 256;
  private static final long OUTPUT_TOKENS_MAX = 1_000_000;
  private static final int TOP_K_MAX = 50;
  private static final int STORES_MAX = 16;
  private static final int VARIABLES_MAX = 64;
  private static final int VARIABLE_LENGTH_MAX = 16 * 1024;
  private static final int STOPS_MAX = 4;
  private static final int PRIORITY_MAX = 100;
  private static final int CHOICES_MAX = 16;
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool", "function");

  private static final Set<String> RESPONSE_FORMATS = Set.of("text", "json_object", "json_schema");

  static Checked<ChatBody> read(JsonNode root, Patience patience) {
    FieldReader body = FieldReader.of(root);
    String model = body.text("model", NAME_LENGTH_MAX);
    long tokens = messages(body);
    boolean stream = body.flag("stream", false);
    boolean includeUsage = streamOptions(body, stream);
    Long older = body.integer("max_tokens", 1, OUTPUT_TOKENS_MAX);
    Long newer = body.integer("max_completion_tokens", 1, OUTPUT_TOKENS_MAX);
    body.number("temperature", 0, 2);
    body.number("top_p", 0, 1);
    body.number("presence_penalty", -2, 2);
    body.number("frequency_penalty", -2, 2);
    body.integer("n", 1, CHOICES_MAX);
    body.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    body.text("user", NAME_LENGTH_MAX);
    stop(body);
    responseFormat(body);
    objectOrAbsent(body, "metadata");
    tools(body);
    Rowhouse own = Rowhouse.read(body, patience);
    if (!body.isClean()) {
      return body.bad();
    }
    return new Checked.Good<>(
        new ChatBody(
            model,
            tokens,
            newer != null ? newer : older,
            stream,
            includeUsage,
            own.priority,
            own.deadlineMillis,
            own.retrieval,
            own.promptName,
            own.promptVersion,
            own.variables));
  }

  private static long messages(FieldReader body) {
    JsonNode messages = body.node("messages");
    if (messages == null) {
      body.error("messages", "is missing; it must be a list of messages");
      return 0;
    }
    if (!messages.isArray() || messages.isEmpty()) {
      body.error("messages", "must be a list with at least one message");
      return 0;
    }
    if (messages.size() > MESSAGES_MAX) {
      body.error("messages", "must have at most " + MESSAGES_MAX + " messages");
      return 0;
    }
    long tokens = 0;
    for (int i = 0; i < messages.size(); i++) {
      tokens += TokenEstimate.PER_MESSAGE + message(body, messages.get(i), "messages[" + i + "]");
    }
    return tokens;
  }

  private static long message(FieldReader body, JsonNode message, String at) {
    if (!message.isObject()) {
      body.error(at, "must be an object with role and content");
      return 0;
    }
    JsonNode role = message.get("role");
    if (role == null || !role.isTextual() || !ROLES.contains(role.textValue())) {
      body.error(at + ".role", "must be one of system, developer, user, assistant, tool, function");
      return 0;
    }
    JsonNode content = message.get("content");
    if (content == null || content.isNull()) {
      boolean mayBeEmpty =
          role.textValue().equals("assistant")
              && (message.has("tool_calls")
                  || message.has("function_call")
                  || message.has("refusal"));
      if (!mayBeEmpty) {
        body.error(at + ".content", "is missing");
      }
      return 0;
    }
    if (content.isTextual()) {
      return TokenEstimate.of(content.textValue());
    }
    if (!content.isArray() || content.isEmpty() || content.size() > PARTS_MAX) {
      body.error(at + ".content", "must be a string or a list of 1 to " + PARTS_MAX + " parts");
      return 0;
    }
    long tokens = 0;
    for (int i = 0; i < content.size(); i++) {
      JsonNode part = content.get(i);
      if (!part.isObject() || !part.path("type").isTextual()) {
        body.error(at + ".content[" + i + "]", "must be an object with a type");
        return 0;
      }
      if (part.path("type").textValue().equals("text")) {
        if (!part.path("text").isTextual()) {
          body.error(at + ".content[" + i + "].text", "must be a string");
          return 0;
        }
        tokens += TokenEstimate.of(part.path("text").textValue());
      } else {
        tokens += IMAGE_TOKENS;
      }
    }
    return tokens;
  }

  /** What a part that is no text is taken for, until the model says what it was. */
  private static final long IMAGE_TOKENS = 765;

  private static boolean streamOptions(FieldReader body, boolean stream) {
    JsonNode options = body.node("stream_options");
    if (options == null) {
      return false;
    }
    if (!stream) {
      body.error("stream_options", "is only allowed with stream: true");
      return false;
    }
    return body.object("stream_options").flag("include_usage", false);
  }

  private static void stop(FieldReader body) {
    JsonNode stop = body.node("stop");
    if (stop == null || stop.isTextual()) {
      return;
    }
    boolean good = stop.isArray() && stop.size() <= STOPS_MAX;
    for (JsonNode one : stop) {
      good &= one.isTextual();
    }
    if (!good) {
      body.error("stop", "must be a string or a list of at most " + STOPS_MAX + " strings");
    }
  }

  private static void responseFormat(FieldReader body) {
    JsonNode node = body.node("response_format");
    if (node != null && !RESPONSE_FORMATS.contains(node.path("type").asText(""))) {
      body.error(
          "response_format", "must be an object whose type is text, json_object or json_schema");
    }
  }

  private static void objectOrAbsent(FieldReader body, String field) {
    JsonNode node = body.node(field);
    if (node != null && !node.isObject()) {
      body.error(field, "must be an object");
    }
  }

  private static void tools(FieldReader body) {
    JsonNode tools = body.node("tools");
    if (tools == null) {
      return;
    }
    if (!tools.isArray()) {
      body.error("tools", "must be a list of tools");
      return;
    }
    for (int i = 0; i < tools.size(); i++) {
      if (!tools.get(i).isObject() || !tools.get(i).path("type").isTextual()) {
        body.error("tools[" + i + "]", "must be an object with a type");
      }
    }
  }

  /** The request's own field {@code rowhouse}. */
  private record Rowhouse(
      int priority,
      @Nullable Long deadlineMillis,
      Ask.RetrievalChoice retrieval,
      @Nullable String promptName,
      @Nullable Integer promptVersion,
      Map<String, String> variables) {

    static Rowhouse read(FieldReader body, Patience patience) {
      JsonNode node = body.node("rowhouse");
      if (node == null) {
        return new Rowhouse(0, null, Ask.RetrievalChoice.OF_THE_TENANT, null, null, Map.of());
      }
      FieldReader own = body.object("rowhouse");
      int priority = own.integer("priority", -PRIORITY_MAX, PRIORITY_MAX, 0);
      Long deadlineMillis = patience.field(own);
      own.node("cache");
      Ask.RetrievalChoice retrieval = retrieval(own);
      String prompt = own.text("prompt", NAME_LENGTH_MAX);
      String promptName = prompt;
      Integer promptVersion = null;
      if (prompt != null && prompt.indexOf('@') > 0) {
        promptName = prompt.substring(0, prompt.indexOf('@'));
        String version = prompt.substring(prompt.indexOf('@') + 1);
        if (version.matches("[1-9][0-9]{0,8}")) {
          promptVersion = Integer.valueOf(version);
        } else {
          own.error("prompt", "must be a name, or name@version with a version from 1");
        }
      }
      Map<String, String> variables =
          new HashMap<>(
              own.entries(
                  "variables",
                  VARIABLES_MAX,
                  NAME_LENGTH_MAX,
                  (entries, name) -> variable(entries, name)));
      own.close();
      return new Rowhouse(
          priority, deadlineMillis, retrieval, promptName, promptVersion, variables);
    }

    private static @Nullable String variable(FieldReader entries, String name) {
      JsonNode value = entries.node(name);
      return value != null && value.isNumber()
          ? value.asText()
          : entries.text(name, VARIABLE_LENGTH_MAX);
    }

    private static Ask.RetrievalChoice retrieval(FieldReader own) {
      JsonNode node = own.node("retrieval");
      if (node == null || (node.isBoolean() && node.booleanValue())) {
        return Ask.RetrievalChoice.OF_THE_TENANT;
      }
      if (node.isBoolean()) {
        return new Ask.RetrievalChoice(true, null, null);
      }
      FieldReader retrieval = own.object("retrieval");
      boolean named = retrieval.node("stores") != null;
      List<String> stores = retrieval.texts("stores", STORES_MAX, NAME_LENGTH_MAX);
      Long topK = retrieval.integer("top_k", 1, TOP_K_MAX);
      retrieval.close();
      return new Ask.RetrievalChoice(
          false, named ? stores : null, topK == null ? null : Math.toIntExact(topK));
    }
  }
}
