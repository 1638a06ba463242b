package dev.rowhouse.inference;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.inference.EngineEvent.Failure;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a chat request asks of the extractive model, checked. It refuses what it cannot do rather
 * than pretend.
 *
 * @param question the last message of the user
 * @param tokensMax of the answer
 * @param stops the answer ends before the first of these
 * @param fixed the one JSON answer that the request leaves; absent: an answer in words
 * @param function the tool that must be called with {@code fixed}; absent: none
 */
record ExtractiveRequest(
    String question,
    int tokensMax,
    List<String> stops,
    @Nullable JsonNode fixed,
    @Nullable String function) {
  private static final int STOPS_MAX = 4;

  /** Why the request cannot be served. */
  static final class Refused extends Exception {
    private final Failure failure;

    Refused(Failure failure) {
      super(failure.message());
      this.failure = failure;
    }

    Failure failure() {
      return failure;
    }
  }

  static ExtractiveRequest of(ChatBody body) throws Refused {
    JsonNode n = body.member("n");
    if (!n.isNull() && !(n.isIntegralNumber() && n.asLong() == 1)) {
      throw unsupported("n", "this model gives one answer");
    }
    if (body.member("logprobs").asBoolean(false)) {
      throw unsupported("logprobs", "this model has no probabilities");
    }
    for (JsonNode modality : body.member("modalities")) {
      if (!modality.asText().equals("text")) {
        throw unsupported("modalities", "this model answers in text");
      }
    }
    String question;
    try {
      question = body.lastUserText();
    } catch (BadBody e) {
      throw new Refused(e.failure());
    }
    Forced forced = forced(body);
    return new ExtractiveRequest(
        question, tokensMax(body), stops(body), forced.value(), forced.function());
  }

  private record Forced(@Nullable JsonNode value, @Nullable String function) {}

  private static Forced forced(ChatBody body) throws Refused {
    String tool = forcedTool(body);
    if (tool != null) {
      return new Forced(fixed(parameters(body, tool), "tool_choice"), tool);
    }
    JsonNode format = body.member("response_format");
    return switch (format.path("type").asText()) {
      case "", "text" -> new Forced(null, null);
      case "json_schema" ->
          new Forced(fixed(format.path("json_schema").path("schema"), "response_format"), null);
      case "json_object" ->
          throw unsupported("response_format", "this model has no JSON of its own to give");
      default -> throw invalid("response_format", "is text, json_object or json_schema");
    };
  }

  private static @Nullable String forcedTool(ChatBody body) throws Refused {
    JsonNode choice = body.member("tool_choice");
    JsonNode tools = body.member("tools");
    if (choice.isTextual() && choice.asText().equals("required")) {
      if (tools.size() != 1) {
        throw unsupported("tool_choice", "this model cannot choose among tools");
      }
      return tools.get(0).path("function").path("name").asText();
    }
    if (choice.isObject()) {
      if (!choice.path("type").asText().equals("function")) {
        throw unsupported("tool_choice", "this model can be forced to call a function only");
      }
      return choice.path("function").path("name").asText();
    }
    return null;
  }

  private static JsonNode parameters(ChatBody body, String tool) throws Refused {
    for (JsonNode candidate : body.member("tools")) {
      JsonNode function = candidate.path("function");
      if (function.path("name").asText().equals(tool)) {
        return function.has("parameters")
            ? function.path("parameters")
            : JsonMembers.MAPPER.createObjectNode().put("type", "object");
      }
    }
    throw invalid("tool_choice", "names a tool that is not in tools");
  }

  private static JsonNode fixed(JsonNode schema, String param) throws Refused {
    try {
      return FixedValue.of(schema);
    } catch (FixedValue.Choice e) {
      throw unsupported(param, String.valueOf(e.getMessage()));
    }
  }

  private static int tokensMax(ChatBody body) throws Refused {
    int max = Integer.MAX_VALUE;
    for (String param : List.of("max_tokens", "max_completion_tokens")) {
      JsonNode value = body.member(param);
      if (!value.isNull()) {
        if (!value.isIntegralNumber() || value.asLong() < 1) {
          throw invalid(param, "must be an integer of at least 1");
        }
        max = (int) Math.min(max, value.asLong());
      }
    }
    return max;
  }

  private static List<String> stops(ChatBody body) throws Refused {
    JsonNode stop = body.member("stop");
    if (stop.isNull()) {
      return List.of();
    }
    if (stop.isTextual() && !stop.asText().isEmpty()) {
      return List.of(stop.asText());
    }
    List<String> stops = new ArrayList<>();
    for (JsonNode one : stop) {
      if (!one.isTextual() || one.asText().isEmpty() || stops.size() == STOPS_MAX) {
        throw invalid("stop", "is a string or at most " + STOPS_MAX + " strings, none empty");
      }
      stops.add(one.asText());
    }
    if (!stop.isArray()) {
      throw invalid("stop", "is a string or at most " + STOPS_MAX + " strings, none empty");
    }
    return List.copyOf(stops);
  }

  private static Refused unsupported(String param, String reason) {
    return new Refused(Failure.unsupported(param, param + ": " + reason));
  }

  private static Refused invalid(String param, String reason) {
    return new Refused(Failure.invalid(param + ": " + reason, param));
  }
}
