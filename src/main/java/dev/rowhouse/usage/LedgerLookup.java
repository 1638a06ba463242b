package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * What a ledger reads while it works: old attempts of an append, what others wrote late, and the
 * records of doubtful attempts. The answers come as notes. There is at most one look for the append
 * and one other reading at a time.
 */
final class LedgerLookup {
  private final ActorContext<UsageLedger.Command> context;
  private final LedgerHome home;
  private boolean looking;
  private boolean reading;

  LedgerLookup(ActorContext<UsageLedger.Command> context, LedgerHome home) {
    this.context = context;
    this.home = home;
  }

  /** Whether the append waits for an answer. */
  boolean isLooking() {
    return looking;
  }

  /** Asks the journal for attempts that may be in it. */
  void look(LedgerState known, long batch, Set<UUID> unsure) {
    looking = true;
    context.pipeToSelf(
        home.reader().find(known.read().keySet(), unsure),
        (found, problem) ->
            found == null
                ? new LedgerNote.Failed("cannot look up old attempts", Fence.cause(problem))
                : new LedgerNote.Looked(known, batch, found));
  }

  void looked() {
    looking = false;
  }

  /** Asks for what others wrote since. */
  void late(LedgerState known, Instant readAt, long mine) {
    if (!reading) {
      reading = true;
      Instant now = home.now();
      context.pipeToSelf(
          LedgerLoader.late(home, known.read(), readAt, mine),
          (events, problem) ->
              events == null
                  ? new LedgerNote.Failed("cannot reconcile", Fence.cause(problem))
                  : new LedgerNote.Late(known, events, now));
    }
  }

  /** Asks for the records of doubtful attempts, if there are any. */
  void resolve(@Nullable LedgerState known) {
    if (known != null && !reading && !known.doubtful().isEmpty()) {
      reading = true;
      Set<UUID> doubtful = known.doubtful();
      context.pipeToSelf(
          home.reader().find(known.read().keySet(), doubtful),
          (found, problem) ->
              found == null
                  ? new LedgerNote.Failed("cannot look up doubtful attempts", Fence.cause(problem))
                  : new LedgerNote.Resolved(known, doubtful, found));
    }
  }

  void read() {
    reading = false;
  }

  /** What is on its way is for a state that is gone. */
  void forget() {
    looking = false;
    reading = false;
  }
}
