package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Chunk;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** One answer of the extractive model, in pieces of a few words. */
final class ExtractiveCall implements EngineCall {
  /** Small enough to be seen arriving, big enough that framing does not outweigh the words. */
  private static final int WORDS_PER_PIECE = 4;

  /** Pieces in answer to one pull. */
  private static final int PIECES_PER_PULL = 8;

  private final ExtractiveEngine engine;
  private final EngineRequest request;
  private ExtractiveEngine.@Nullable Answer answer;
  private int position;
  private boolean begun;
  private volatile boolean cancelled;

  ExtractiveCall(ExtractiveEngine engine, EngineRequest request) {
    this.engine = engine;
    this.request = request;
  }

  @Override
  public CompletionStage<List<EngineEvent>> next() {
    ExtractiveEngine.Answer known = answer;
    if (known != null) {
      return CompletableFuture.completedFuture(pieces(known));
    }
    try {
      return engine
          .answer(request)
          .thenApply(
              made -> {
                answer = made;
                return request.stream() ? pieces(made) : whole(made);
              });
    } catch (ExtractiveRequest.Refused e) {
      return CompletableFuture.completedFuture(EngineEvent.failed(e.failure()));
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  @Override
  public long patienceMillis() {
    return engine.patienceMillis();
  }

  private List<EngineEvent> whole(ExtractiveEngine.Answer made) {
    JsonBytes json = new JsonBytes(made.text().length() + 256);
    json.raw("\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (made.request().function() == null) {
      json.string(made.text());
    } else {
      json.raw("null,\"tool_calls\":[").raw(toolCall(made, false)).raw("]");
    }
    json.raw(",\"refusal\":null},\"logprobs\":null,\"finish_reason\":");
    json.string(made.finishReason()).raw("}]");
    return List.of(
        usage(made),
        new EngineEvent.Whole(json.done(), ""),
        new EngineEvent.Done(made.citations()));
  }

  private List<EngineEvent> pieces(ExtractiveEngine.Answer made) {
    List<EngineEvent> events = new ArrayList<>();
    if (cancelled) {
      return events;
    }
    if (!begun) {
      begun = true;
      events.add(usage(made));
      events.add(chunk("{\"role\":\"assistant\",\"content\":\"\"}", "", true, null));
      if (made.request().function() != null) {
        JsonBytes delta = new JsonBytes(256).raw("{\"tool_calls\":[");
        events.add(chunk(delta.raw(toolCall(made, true)).raw("]}"), made.text()));
        position = made.text().length();
      }
    }
    for (int i = 0; i < PIECES_PER_PULL && position < made.text().length(); i++) {
      int end = pieceEnd(made.text(), position);
      String piece = made.text().substring(position, end);
      position = end;
      events.add(chunk(new JsonBytes(64).raw("{\"content\":").string(piece).raw("}"), piece));
    }
    if (position >= made.text().length()) {
      events.add(chunk("{}", "", false, made.finishReason()));
      events.add(new EngineEvent.Done(made.citations()));
    }
    return events;
  }

  private static int pieceEnd(String text, int from) {
    int words = 0;
    for (int i = from + 1; i < text.length(); i++) {
      if (text.charAt(i) == ' ' && ++words == WORDS_PER_PIECE) {
        return i;
      }
    }
    return text.length();
  }

  private static EngineEvent.Usage usage(ExtractiveEngine.Answer made) {
    return new EngineEvent.Usage(
        made.inputTokens(),
        made.outputTokens(),
        AnswerWriter.usage(made.inputTokens(), made.outputTokens()));
  }

  private ByteString toolCall(ExtractiveEngine.Answer made, boolean streamed) {
    return new JsonBytes(256)
        .raw(streamed ? "{\"index\":0,\"id\":" : "{\"id\":")
        .string("call_" + request.attempt().replace("-", ""))
        .raw(",\"type\":\"function\",\"function\":{\"name\":")
        .string(String.valueOf(made.request().function()))
        .raw(",\"arguments\":")
        .string(made.text())
        .raw("}}")
        .done();
  }

  private static Chunk chunk(JsonBytes delta, String text) {
    return new Chunk(choice(delta.done(), null), text, false, true, false);
  }

  private static Chunk chunk(String delta, String text, boolean role, @Nullable String finish) {
    return new Chunk(
        choice(ByteString.fromString(delta), finish), text, role, !text.isEmpty(), finish != null);
  }

  private static ByteString choice(ByteString delta, @Nullable String finish) {
    JsonBytes json = new JsonBytes(delta.size() + 96);
    json.raw("\"choices\":[{\"index\":0,\"delta\":").raw(delta);
    json.raw(",\"logprobs\":null,\"finish_reason\":");
    return (finish == null ? json.raw("null") : json.string(finish)).raw("}]").done();
  }
}
