package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Chunk;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which chunks of a stream go out when. The first one names the role. Chunks that carry no token
 * wait for one that does, so that another model may still take over. A chunk that finishes a choice
 * waits for the next, because the last one of the stream belongs to its held-back end.
 */
final class ChunkOrder {
  /** An upstream that sends more chunks than this without a token gets no second chance. */
  private static final int EMPTY_MAX = 8;

  private final List<Chunk> waiting = new ArrayList<>();
  private @Nullable Chunk finish;
  private boolean begun;
  private boolean token;

  /** The chunks that go out now. */
  List<Chunk> accept(Chunk chunk) {
    if (!begun) {
      begun = true;
      if (!chunk.role()) {
        waiting.add(AnswerWriter.ROLE_CHUNK);
      }
    }
    token |= chunk.token();
    if (finish != null) {
      waiting.add(finish);
      finish = null;
    }
    if (chunk.finish()) {
      finish = chunk;
    } else {
      waiting.add(chunk);
    }
    return token || waiting.size() > EMPTY_MAX ? takeWaiting() : List.of();
  }

  /** The stream is complete: what goes before its last chunk. */
  List<Chunk> takeWaiting() {
    List<Chunk> taken = List.copyOf(waiting);
    waiting.clear();
    return taken;
  }

  /** The last chunk of the stream. */
  Chunk finish() {
    return finish == null ? AnswerWriter.STOP_CHUNK : finish;
  }

  /** Whether the upstream has sent anything that a client waits for. */
  boolean hasToken() {
    return token;
  }
}
