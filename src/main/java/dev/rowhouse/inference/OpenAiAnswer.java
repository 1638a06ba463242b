package dev.rowhouse.inference;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * What an OpenAI-compatible upstream sent, a chunk or a whole answer, read in one pass. The choices
 * are looked into and passed on as bytes; id, object, created, model and usage become ours.
 */
final class OpenAiAnswer implements JsonMembers.Reader {
  private static final Set<String> OURS =
      Set.of("id", "object", "created", "model", "usage", "rowhouse");

  /** What a model writes in a tool call. */
  private static final Set<String> COUNTED = Set.of("name", "arguments");

  private final StringBuilder text = new StringBuilder(0);
  private boolean choices;
  private boolean role;
  private boolean token;
  private boolean finish;
  private boolean usage;
  private long inputTokens;
  private long outputTokens;
  private boolean error;
  private @Nullable String errorMessage;

  private OpenAiAnswer() {}

  /** The events that a chunk of a stream stands for; none for a chunk that says nothing. */
  static List<EngineEvent> chunk(byte[] json) throws IOException {
    OpenAiAnswer answer = new OpenAiAnswer();
    JsonMembers members = JsonMembers.parse(json, answer);
    List<EngineEvent> events = new ArrayList<>(2);
    if (answer.error) {
      return List.of(new UpstreamSays(answer.errorMessage).failed());
    }
    answer.common(members, events);
    if (answer.choices) {
      events.add(
          new EngineEvent.Chunk(
              rest(members), answer.text.toString(), answer.role, answer.token, answer.finish));
    }
    return events;
  }

  /** The events that a whole answer stands for, without the end. */
  static List<EngineEvent> whole(byte[] json) throws IOException {
    OpenAiAnswer answer = new OpenAiAnswer();
    JsonMembers members = JsonMembers.parse(json, answer);
    if (answer.error) {
      return List.of(new UpstreamSays(answer.errorMessage).failed());
    }
    if (!answer.choices) {
      return EngineEvent.failed(
          EngineEvent.Failure.upstream("the upstream's answer has no choices"));
    }
    List<EngineEvent> events = new ArrayList<>(4);
    answer.common(members, events);
    events.add(new EngineEvent.Whole(rest(members), answer.usage ? "" : answer.text.toString()));
    return events;
  }

  /** An error that came with a success status. */
  private record UpstreamSays(@Nullable String message) {
    EngineEvent.Failed failed() {
      return new EngineEvent.Failed(
          EngineEvent.Failure.upstream(
              message == null
                  ? "the upstream reported an error"
                  : "the upstream reported an error: " + message));
    }
  }

  private static ByteString rest(JsonMembers members) {
    JsonBytes out = new JsonBytes(members.size());
    members.writeWithout(OURS, out);
    return out.done();
  }

  private void common(JsonMembers members, List<EngineEvent> events) {
    if (usage) {
      JsonBytes json = new JsonBytes(128);
      members.writeValue("usage", json);
      events.add(new EngineEvent.Usage(inputTokens, outputTokens, json.done()));
    }
  }

  @Override
  public void read(String name, JsonParser parser) throws IOException {
    switch (name) {
      case "choices" -> readChoices(parser);
      case "usage" -> readUsage(parser);
      case "error" -> readError(parser);
      default -> parser.skipChildren();
    }
  }

  private void readChoices(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      parser.skipChildren();
      return;
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.START_OBJECT) {
        parser.skipChildren();
        continue;
      }
      choices = true;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if ((name.equals("delta") || name.equals("message")) && value == JsonToken.START_OBJECT) {
          readDelta(parser);
        } else if (name.equals("finish_reason")) {
          finish |= value != JsonToken.VALUE_NULL;
          parser.skipChildren();
        } else if (name.equals("text") && value == JsonToken.VALUE_STRING) {
          content(parser.getText());
        } else {
          parser.skipChildren();
        }
      }
    }
  }

  private void readDelta(JsonParser parser) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("role")) {
        role = true;
      } else if (value == JsonToken.VALUE_STRING) {
        content(parser.getText());
      } else if (value != JsonToken.VALUE_NULL) {
        token = true;
        countArguments(parser);
      }
    }
  }

  /** Tool calls are output too: their names and arguments are what a model wrote. */
  private void countArguments(JsonParser parser) throws IOException {
    if (!parser.currentToken().isStructStart()) {
      return;
    }
    int depth = 1;
    while (depth > 0) {
      JsonToken next = parser.nextToken();
      if (next.isStructStart()) {
        depth++;
      } else if (next.isStructEnd()) {
        depth--;
      } else if (next == JsonToken.VALUE_STRING
          && COUNTED.contains(String.valueOf(parser.currentName()))) {
        text.append(parser.getText());
      }
    }
  }

  private void content(String piece) {
    if (!piece.isEmpty()) {
      token = true;
      text.append(piece);
    }
  }

  private void readUsage(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      parser.skipChildren();
      return;
    }
    boolean input = false;
    boolean output = false;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (value == JsonToken.VALUE_NUMBER_INT && name.equals("prompt_tokens")) {
        inputTokens = tokens(parser);
        input = true;
      } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("completion_tokens")) {
        outputTokens = tokens(parser);
        output = true;
      } else {
        parser.skipChildren();
      }
    }
    usage = input && output;
  }

  /** Absurd figures are the upstream's mistake, not a reason to fail or to overflow. */
  private static long tokens(JsonParser parser) throws IOException {
    return Math.clamp(
        parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
            ? Integer.MAX_VALUE
            : parser.getLongValue(),
        0,
        Integer.MAX_VALUE);
  }

  private void readError(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    error = true;
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      errorMessage = parser.getText();
      return;
    }
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      parser.skipChildren();
      return;
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("message") && value == JsonToken.VALUE_STRING) {
        errorMessage = parser.getText();
      } else {
        parser.skipChildren();
      }
    }
  }

  /** The message in an error body; absent when it is not one. */
  static @Nullable String errorMessage(byte[] json) {
    try {
      OpenAiAnswer answer = new OpenAiAnswer();
      JsonMembers.parse(json, answer);
      return answer.errorMessage;
    } catch (IOException e) {
      return null;
    }
  }
}
