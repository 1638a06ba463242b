package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request for embeddings as far as admission has to understand it; the body itself goes to the
 * embedder as it came. {@code dimensions} must be the model's, which only the embedder knows.
 *
 * @param deadlineMillis how long the client will wait, from now; absent: it does not say
 */
record EmbeddingBody(String model, long inputTokens, @Nullable Long deadlineMillis) {
  /** What one slot is taken for at a time: some seconds of a core. */
  static final int INPUTS_MAX = 256;

  /** Far more than an embedder reads of a text, so that nobody has to count before asking. */
  static final int INPUT_CHARS_MAX = 32 * 1024;

  private static final int NAME_LENGTH_MAX = 256;
  private static final int DIMENSIONS_MAX = 1 << 16;
  private static final Set<String> CHAT_FIELDS =
      Set.of("priority", "cache", "retrieval", "prompt", "variables");
  private static final Set<String> FORMATS = Set.of("float", "base64");

  static Checked<EmbeddingBody> read(JsonNode root, Patience patience) {
    FieldReader body = FieldReader.of(root);
    String model = body.text("model", NAME_LENGTH_MAX);
    if (model == null && body.node("model") == null) {
      body.error("model", "is missing; it must name a model that embeds");
    }
    List<String> texts = input(body);
    String format = body.text("encoding_format", NAME_LENGTH_MAX);
    if (format != null && !FORMATS.contains(format)) {
      body.error("encoding_format", "must be float or base64");
    }
    body.integer("dimensions", 1, DIMENSIONS_MAX);
    body.text("user", NAME_LENGTH_MAX);
    Long deadlineMillis = deadline(body.object("rowhouse"), patience);
    return model != null && body.isClean()
        ? new Checked.Good<>(new EmbeddingBody(model, TokenEstimate.of(texts), deadlineMillis))
        : body.bad();
  }

  private static @Nullable Long deadline(FieldReader rowhouse, Patience patience) {
    // A client may send one such object with all its calls: what is a chat's means nothing here.
    CHAT_FIELDS.forEach(rowhouse::node);
    Long millis = patience.field(rowhouse);
    rowhouse.close();
    return millis;
  }

  private static List<String> input(FieldReader body) {
    JsonNode input = body.node("input");
    if (input == null) {
      body.error("input", "is missing; it must be a string or a list of strings");
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    if (!input.isArray()) {
      text(body, "input", input, texts);
      return texts;
    }
    if (input.isEmpty() || input.size() > INPUTS_MAX) {
      body.error("input", "must have 1 to " + INPUTS_MAX + " entries");
      return List.of();
    }
    for (int i = 0; i < input.size(); i++) {
      text(body, "input[" + i + "]", input.get(i), texts);
    }
    return texts;
  }

  private static void text(FieldReader body, String at, JsonNode node, List<String> texts) {
    if (node.isNumber() || node.isArray()) {
      body.error(at, "must be a string; tokens are not taken, because they are another model's");
    } else if (!node.isTextual()) {
      body.error(at, "must be a string");
    } else if (node.textValue().isEmpty()) {
      body.error(at, "must not be empty");
    } else if (node.textValue().length() > INPUT_CHARS_MAX) {
      body.error(at, "must have at most " + INPUT_CHARS_MAX + " characters");
    } else {
      texts.add(node.textValue());
    }
  }
}
