package dev.rowhouse.inference;

import dev.rowhouse.inference.PassageSource.Passage;
import java.util.List;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** The answer of one model in the making, and what it costs. */
final class Draft {
  private final RunOrder order;
  private final Outbox outbox;
  private final AnswerWriter writer;
  private final ChunkOrder chunks = new ChunkOrder();
  private final Tally tally;
  private EngineEvent.@Nullable Whole whole;

  Draft(RunOrder order, String model, long createdSeconds, String addedText, Outbox outbox) {
    this.order = order;
    this.outbox = outbox;
    this.writer = new AnswerWriter(order, model, createdSeconds);
    this.tally = new Tally(order, model, addedText);
  }

  Tally tally() {
    return tally;
  }

  void accept(EngineEvent.Chunk chunk, long nowMillis) {
    if (chunk.token()) {
      tally.token(chunk.text(), nowMillis);
    }
    for (EngineEvent.Chunk ready : chunks.accept(chunk)) {
      outbox.add(writer.chunk(ready));
    }
  }

  void accept(EngineEvent.Whole all, long nowMillis) {
    tally.token(all.text(), nowMillis);
    whole = all;
  }

  /** Whether another model may still take over: nothing of this answer was given away. */
  boolean isReplaceable() {
    return !outbox.isUsed() && !chunks.hasToken();
  }

  /** Puts the rest into the outbox, all but the end, which it returns; empty: no answer came. */
  List<ByteString> finish(List<Passage> citations, int pieceBytesMax) {
    if (order.stream()) {
      for (EngineEvent.Chunk ready : chunks.takeWaiting()) {
        outbox.add(writer.chunk(ready));
      }
      ByteString finish = writer.finish(chunks.finish(), citations);
      return order.includeUsage()
          ? List.of(finish, writer.usageChunk(tally.usageJson()))
          : List.of(finish);
    }
    if (whole == null) {
      return List.of();
    }
    ByteString rest = writer.whole(whole.members(), tally.usageJson(), citations);
    while (rest.size() > pieceBytesMax) {
      outbox.add(rest.take(pieceBytesMax));
      rest = rest.drop(pieceBytesMax);
    }
    return List.of(rest);
  }
}
