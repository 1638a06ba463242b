package dev.rowhouse.inference;

import dev.rowhouse.inference.PassageSource.Passage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that a run receives: what its gateway says, and what it tells itself. */
sealed interface RunMessage
    permits RunControl,
        RunMessage.Found,
        RunMessage.Arrived,
        RunMessage.Tick,
        RunMessage.GatewayGone {

  /** The search is over; {@code error} is set when it failed. */
  record Found(@Nullable List<Passage> passages, @Nullable Throwable error) implements RunMessage {}

  /** The next events of the engine call with this number; a late one of an earlier call is void. */
  record Arrived(int call, @Nullable List<EngineEvent> events, @Nullable Throwable error)
      implements RunMessage {}

  /** A limit of time may have passed. */
  record Tick() implements RunMessage, EmbeddingMessage {}

  /** The gateway's actor terminated, or its node is gone. */
  record GatewayGone() implements RunMessage, EmbeddingMessage {}
}
