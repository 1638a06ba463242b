package dev.rowhouse.tenant;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The right of one start of an event-sourced actor to write its persistence id.
 *
 * <p>The first write claims a number, so that an actor that only reads costs nothing. Between its
 * recovery and its claim another start may have written; hence after the claim the journal is asked
 * once whether it holds more than was recovered, and if it does this start must not write. From
 * then on whoever claims later turns {@link #mayWrite} to false here.
 *
 * <p>What remains is the moment between the check and the write's arrival: on SQL the journal's
 * primary key refuses the second of two equal sequence numbers, so one of them fails and nothing is
 * written twice.
 */
final class FencedWrites {
  private final WriteFence fence;
  private final JournalProbe probe;
  private final String persistenceId;
  private final Duration timeout;

  /** The number of this start; set by the actor only, with what it was told. */
  private @Nullable Long claimed;

  FencedWrites(WriteFence fence, JournalProbe probe, String persistenceId, Duration timeout) {
    this.fence = fence;
    this.probe = probe;
    this.persistenceId = persistenceId;
    this.timeout = timeout;
  }

  /**
   * What the fence said.
   *
   * @param number the number under which was asked
   */
  record Answer(long number, boolean mayWrite) {}

  /** Never waits: the answer comes to the actor as a message. */
  CompletionStage<Answer> mayWrite(long sequenceNumber) {
    CompletionStage<Answer> answer =
        claimed == null
            ? fence
                .claim(persistenceId)
                .thenCompose(
                    number ->
                        probe
                            .hasEventsAfter(persistenceId, sequenceNumber)
                            .thenApply(hasMore -> new Answer(number, !hasMore)))
            : isLatest(claimed);
    // A stage of our own: the time-out must not end the one that the fence gave.
    return answer
        .thenApply(said -> said)
        .toCompletableFuture()
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private CompletionStage<Answer> isLatest(long number) {
    return fence
        .isLatest(persistenceId, number)
        .thenApply(isLatest -> new Answer(number, isLatest));
  }

  void remember(Answer answer) {
    claimed = answer.number();
  }
}
