package dev.rowhouse.inference;

import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** All that an embedding run receives: what its gateway says, and what it tells itself. */
sealed interface EmbeddingMessage
    permits RunControl, EmbeddingMessage.Embedded, RunMessage.Tick, RunMessage.GatewayGone {

  /**
   * The embedder is done with a text.
   *
   * @param json the text's entry in the answer; absent when the embedder failed
   */
  record Embedded(long tokens, @Nullable ByteString json, @Nullable Throwable error)
      implements EmbeddingMessage {}
}
