package dev.rowhouse.inference;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A request for embeddings. The gateway has held it against its limits; here it is read.
 *
 * @param base64 whether a vector is written as the base64 of little-endian float32 values
 * @param dimensions the length that the client wants; absent: the model's
 */
record EmbeddingBody(List<String> texts, boolean base64, @Nullable Integer dimensions) {
  /** A gateway lets fewer through; a worker holds none that could take its slot for an hour. */
  private static final int TEXTS_MAX = 1_024;

  static EmbeddingBody parse(ByteString bytes) throws BadBody {
    JsonNode input;
    JsonNode format;
    JsonNode dimensions;
    try {
      JsonMembers members = JsonMembers.parse(bytes.toArray());
      input = members.tree("input");
      format = members.tree("encoding_format");
      dimensions = members.tree("dimensions");
    } catch (IOException e) {
      throw new BadBody("the body is not valid JSON", null);
    }
    return new EmbeddingBody(
        texts(input),
        format != null && format.asText().equals("base64"),
        dimensions == null || dimensions.isNull() ? null : Integer.valueOf(dimensions.asInt()));
  }

  private static List<String> texts(@Nullable JsonNode input) throws BadBody {
    List<String> texts = new ArrayList<>();
    if (input != null && input.isTextual()) {
      texts.add(input.textValue());
    } else if (input != null && input.isArray() && input.size() <= TEXTS_MAX) {
      for (JsonNode text : input) {
        if (text.isTextual()) {
          texts.add(text.textValue());
        }
      }
    }
    if (input == null || texts.isEmpty() || (input.isArray() && texts.size() < input.size())) {
      throw new BadBody("input: must be a string or a list of strings", "input");
    }
    return texts;
  }
}
