package dev.rowhouse.inference;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Set;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A chat request as the client sent it. What we do not have to know is passed on byte for byte:
 * only the model, the stream options and, where a prompt adds to them, the messages are rewritten.
 */
final class ChatBody {
  /** The members that are ours to write; {@code rowhouse} is for us and goes nowhere. */
  private static final Set<String> REWRITTEN =
      Set.of("model", "stream", "stream_options", "rowhouse");

  private static final Set<String> REWRITTEN_WITH_MESSAGES =
      Set.of("model", "stream", "stream_options", "rowhouse", "messages");

  /** A question longer than this searches with its end, where the question usually stands. */
  static final int QUERY_CHARS_MAX = 8_192;

  private final JsonMembers members;
  private @Nullable ArrayNode messages;

  private ChatBody(JsonMembers members) {
    this.members = members;
  }

  static ChatBody parse(ByteString bytes) throws BadBody {
    try {
      JsonMembers members = JsonMembers.parse(bytes.toArray());
      if (!members.has("messages")) {
        throw new BadBody("messages: is required", "messages");
      }
      return new ChatBody(members);
    } catch (JsonProcessingException e) {
      throw new BadBody("the body is not valid JSON: " + e.getOriginalMessage(), null);
    } catch (IOException e) {
      throw new BadBody("the body is not valid JSON", null);
    }
  }

  /** A member of the request; a missing one is a JSON null. */
  JsonNode member(String name) {
    try {
      JsonNode tree = members.tree(name);
      return tree == null ? JsonNodeFactory.instance.nullNode() : tree;
    } catch (IOException e) {
      throw new IllegalStateException("a checked member is broken", e);
    }
  }

  ArrayNode messages() throws BadBody {
    if (messages == null) {
      if (!(member("messages") instanceof ArrayNode array) || array.isEmpty()) {
        throw new BadBody("messages: must be an array with at least one message", "messages");
      }
      messages = array;
    }
    return messages;
  }

  /** The text of the last message of the user; empty when there is none. */
  String lastUserText() throws BadBody {
    ArrayNode all = messages();
    for (int i = all.size() - 1; i >= 0; i--) {
      if (all.get(i).path("role").asText().equals("user")) {
        String text = text(all.get(i).path("content"));
        int from = Math.max(0, text.length() - QUERY_CHARS_MAX);
        return text.substring(from).strip();
      }
    }
    return "";
  }

  private static String text(JsonNode content) {
    if (content.isTextual()) {
      return content.asText();
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (part.path("type").asText().equals("text")) {
        text.append(text.isEmpty() ? "" : "\n").append(part.path("text").asText());
      }
    }
    return text.toString();
  }

  /** The body for an upstream. A stream always asks for usage: it is what we settle by. */
  ByteString forUpstream(String model, boolean stream, String systemText) throws BadBody {
    JsonBytes out = new JsonBytes(members.size() + systemText.length() + 128);
    out.raw("{\"model\":").string(model);
    if (stream) {
      out.raw(",\"stream\":true,\"stream_options\":").raw(streamOptions());
    }
    if (!systemText.isEmpty()) {
      out.raw(",\"messages\":").raw(withSystem(messages(), systemText));
    }
    int before = out.length();
    out.raw(",");
    Set<String> without = systemText.isEmpty() ? REWRITTEN : REWRITTEN_WITH_MESSAGES;
    if (!members.writeWithout(without, out)) {
      out.truncate(before);
    }
    return out.raw("}").done();
  }

  private ByteString streamOptions() {
    if (member("stream_options") instanceof ObjectNode options) {
      return bytes(options.put("include_usage", true));
    }
    return INCLUDE_USAGE;
  }

  private static final ByteString INCLUDE_USAGE = ByteString.fromString("{\"include_usage\":true}");

  /** Ours comes first, because what stands first weighs most; the client's own text follows. */
  static ByteString withSystem(ArrayNode messages, String systemText) {
    ArrayNode result = JsonNodeFactory.instance.arrayNode(messages.size() + 1);
    JsonNode first = messages.get(0);
    String role = first.path("role").asText();
    if (first instanceof ObjectNode own && (role.equals("system") || role.equals("developer"))) {
      JsonNode content = own.path("content");
      ObjectNode merged = own.deepCopy();
      if (content instanceof ArrayNode parts) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        all.addObject().put("type", "text").put("text", systemText);
        merged.set("content", all.addAll(parts));
      } else {
        merged.put("content", systemText + "\n\n" + content.asText());
      }
      result.add(merged);
    } else {
      result.addObject().put("role", "system").put("content", systemText);
      result.add(first);
    }
    for (int i = 1; i < messages.size(); i++) {
      result.add(messages.get(i));
    }
    return bytes(result);
  }

  private static ByteString bytes(JsonNode node) {
    try {
      return ByteString.fromArray(JsonMembers.MAPPER.writeValueAsBytes(node));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree that cannot be written", e);
    }
  }
}
