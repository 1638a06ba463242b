package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Chunk;
import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.inference.PassageSource.Passage;
import java.util.List;
import org.apache.pekko.util.ByteString;

/**
 * Writes what a client reads: OpenAI's chat.completion and chat.completion.chunk, with our id, our
 * model's name, and a {@code rowhouse} object in the chunk that finishes.
 */
final class AnswerWriter {
  private static final String ROLE =
      "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
          + "\"logprobs\":null,\"finish_reason\":null}]";
  private static final String STOP =
      "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]";

  /** For an upstream that never named the role. */
  static final Chunk ROLE_CHUNK = new Chunk(ByteString.fromString(ROLE), "", true, false, false);

  /** For an upstream that said [DONE] and never why. */
  static final Chunk STOP_CHUNK = new Chunk(ByteString.fromString(STOP), "", false, false, true);

  private final RunOrder order;
  private final String model;
  private final ByteString chunkHead;
  private final long createdSeconds;

  AnswerWriter(RunOrder order, String model, long createdSeconds) {
    this.order = order;
    this.model = model;
    this.createdSeconds = createdSeconds;
    this.chunkHead = head("chat.completion.chunk");
  }

  private ByteString head(String object) {
    return new JsonBytes(192)
        .raw("{\"id\":")
        .string("chatcmpl-" + order.attempt())
        .raw(",\"object\":\"" + object + "\",\"created\":")
        .number(createdSeconds)
        .raw(",\"model\":")
        .string(model)
        .raw(",")
        .done();
  }

  ByteString chunk(Chunk chunk) {
    return new JsonBytes(chunkHead.size() + chunk.members().size() + 1)
        .raw(chunkHead)
        .raw(chunk.members())
        .raw("}")
        .done();
  }

  /** The chunk that finishes, with what only we know. */
  ByteString finish(Chunk chunk, List<Passage> citations) {
    JsonBytes json =
        new JsonBytes(chunkHead.size() + chunk.members().size() + 512)
            .raw(chunkHead)
            .raw(chunk.members())
            .raw(",");
    rowhouse(json, citations);
    return json.raw("}").done();
  }

  ByteString usageChunk(ByteString usage) {
    return new JsonBytes(chunkHead.size() + usage.size() + 32)
        .raw(chunkHead)
        .raw("\"choices\":[],\"usage\":")
        .raw(usage)
        .raw("}")
        .done();
  }

  ByteString whole(ByteString members, ByteString usage, List<Passage> citations) {
    JsonBytes json =
        new JsonBytes(members.size() + usage.size() + 512)
            .raw(head("chat.completion"))
            .raw(members)
            .raw(",\"usage\":")
            .raw(usage)
            .raw(",");
    rowhouse(json, citations);
    return json.raw("}").done();
  }

  private void rowhouse(JsonBytes json, List<Passage> citations) {
    json.raw("\"rowhouse\":{\"citations\":[");
    String comma = "";
    for (Passage passage : citations) {
      json.raw(comma).raw("{\"file_id\":").string(passage.fileId());
      json.raw(",\"filename\":").string(passage.filename());
      json.raw(",\"store\":").string(passage.store());
      json.raw(",\"score\":").number(passage.score());
      json.raw(",\"text\":").string(passage.text()).raw("}");
      comma = ",";
    }
    json.raw("],\"cache\":\"miss\",\"model\":").string(model);
    json.raw(",\"queue_ms\":").number(order.queueMillis()).raw("}");
  }

  static ByteString usage(long inputTokens, long outputTokens) {
    return new JsonBytes(96)
        .raw("{\"prompt_tokens\":")
        .number(inputTokens)
        .raw(",\"completion_tokens\":")
        .number(outputTokens)
        .raw(",\"total_tokens\":")
        .number(inputTokens + outputTokens)
        .raw("}")
        .done();
  }

  /** What a stream says instead of its end; without it a cut would look like success. */
  static ByteString error(Failure failure) {
    JsonBytes json =
        new JsonBytes(256)
            .raw("{\"error\":{\"message\":")
            .string(failure.message())
            .raw(",\"type\":")
            .string(failure.type())
            .raw(",\"param\":");
    String param = failure.param();
    return (param == null ? json.raw("null") : json.string(param))
        .raw(",\"code\":")
        .string(failure.code())
        .raw("}}")
        .done();
  }
}
