package dev.rowhouse.audit;

import dev.rowhouse.journal.Fence;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The only writer of the log, one in the cluster (a singleton). Drafts that come while it writes
 * are written together next.
 *
 * <p>States: without a claim (at the start, and after a write that failed, for then nobody knows
 * whether it landed): the next draft makes it claim a number at the Fence and read the end of the
 * log; with a claim: it writes. A draft is answered when it is on disk, or with a refusal, after
 * which it may stand in the log all the same: an intent without an outcome.
 */
public final class AuditKeeper {
  public sealed interface Command {}

  /** Add this to the log. */
  public record Append(AuditDraft draft, ActorRef<Reply> replyTo) implements Command {}

  public sealed interface Reply {}

  /** It is on disk, as that entry. */
  public record Appended(AuditHead head) implements Reply {}

  /** It may not be on disk. */
  public record NotAppended(String reason) implements Reply {}

  private record Ready(long number, AuditHead last) implements Command {}

  private record Wrote(List<Append> batch, List<AuditEntry> entries) implements Command {}

  private record Failed(List<Append> batch, Throwable cause) implements Command {}

  private record Pruned(boolean done) implements Command {}

  private record PruneTick() implements Command {}

  private final ActorContext<Command> context;
  private final AuditTable table;
  private final Fence fence;
  private final Executor blocking;
  private final @Nullable AuditHeadFile file;
  private final InstantSource clock;
  private final AuditSettings settings;
  private final String self;
  private final Deque<Append> waiting = new ArrayDeque<>();

  private @Nullable Ready claim;
  private boolean isBusy;

  private AuditKeeper(
      ActorContext<Command> context,
      AuditTable table,
      Fence fence,
      Executor blocking,
      @Nullable AuditHeadFile file,
      InstantSource clock,
      AuditSettings settings,
      String self) {
    this.context = context;
    this.table = table;
    this.fence = fence;
    this.blocking = blocking;
    this.file = file;
    this.clock = clock;
    this.settings = settings;
    this.self = self;
  }

  /**
   * The keeper, to be run as a singleton.
   *
   * @param file where else the head is kept; absent: nowhere
   * @param self this node, for the people who read the Fence
   */
  static Behavior<Command> create(
      AuditTable table,
      Fence fence,
      Executor blocking,
      @Nullable AuditHeadFile file,
      InstantSource clock,
      AuditSettings settings,
      String self) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new PruneTick(), settings.pruneEvery());
                  AuditKeeper keeper =
                      new AuditKeeper(context, table, fence, blocking, file, clock, settings, self);
                  return Behaviors.receiveMessage(keeper::onCommand);
                }));
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Append append -> onAppend(append);
      case Ready ready -> {
        isBusy = false;
        claim = ready;
      }
      case Wrote wrote -> onWrote(wrote);
      case Failed failed -> onFailed(failed);
      case PruneTick _ -> onPruneTick();
      case Pruned _ -> isBusy = false;
    }
    next();
    return Behaviors.same();
  }

  private void onAppend(Append append) {
    if (waiting.size() >= settings.waitingMax()) {
      append.replyTo().tell(new NotAppended("too many entries wait to be written"));
    } else {
      waiting.add(append);
    }
  }

  private void next() {
    if (isBusy || waiting.isEmpty()) {
      return;
    }
    isBusy = true;
    Ready known = claim;
    if (known == null) {
      context.pipeToSelf(
          CompletableFuture.supplyAsync(
              () -> new Ready(fence.claim(AuditTable.FENCE_NAME, self), table.last()), blocking),
          (ready, failure) -> ready == null ? new Failed(List.of(), Fence.cause(failure)) : ready);
    } else {
      write(known);
    }
  }

  private void write(Ready known) {
    List<Append> batch = new ArrayList<>();
    List<AuditEntry> entries = new ArrayList<>();
    AuditHead last = known.last();
    long now = clock.millis();
    while (!waiting.isEmpty() && batch.size() < settings.batchMax()) {
      Append append = waiting.removeFirst();
      AuditEntry entry = AuditEntry.of(append.draft(), now, last);
      batch.add(append);
      entries.add(entry);
      last = entry.head();
    }
    context.pipeToSelf(
        CompletableFuture.supplyAsync(
            () -> {
              table.write(known.number(), entries);
              if (file != null) {
                file.write(entries.getLast().head());
              }
              return new Wrote(batch, entries);
            },
            blocking),
        (wrote, failure) -> wrote == null ? new Failed(batch, Fence.cause(failure)) : wrote);
  }

  private void onWrote(Wrote wrote) {
    isBusy = false;
    Ready known = claim;
    if (known != null) {
      claim = new Ready(known.number(), wrote.entries().getLast().head());
    }
    for (int at = 0; at < wrote.batch().size(); at++) {
      wrote.batch().get(at).replyTo().tell(new Appended(wrote.entries().get(at).head()));
    }
  }

  /** Who waits is refused too: an operator would rather hear it now. */
  private void onFailed(Failed failed) {
    isBusy = false;
    claim = null;
    String reason = "the audit log cannot be written: " + failed.cause().getMessage();
    context.getLog().warn(reason);
    NotAppended refusal = new NotAppended(reason);
    failed.batch().forEach(append -> append.replyTo().tell(refusal));
    waiting.forEach(append -> append.replyTo().tell(refusal));
    waiting.clear();
  }

  /**
   * Says in the log what is about to go and forgets it then, so that a chain that begins in the
   * middle is explained by one of its own entries.
   */
  private void onPruneTick() {
    Ready known = claim;
    if (isBusy || known == null) {
      return;
    }
    isBusy = true;
    context.pipeToSelf(
        CompletableFuture.supplyAsync(() -> prune(known), blocking),
        (after, failure) ->
            failure != null
                ? new Failed(List.of(), Fence.cause(failure))
                : after == null ? new Pruned(false) : after);
  }

  private @Nullable Ready prune(Ready known) {
    AuditHead base = table.lastBefore(clock.millis() - settings.keep().toMillis());
    if (base == null || base.sequence() >= known.last().sequence()) {
      return null;
    }
    AuditEntry entry = AuditEntry.of(AuditVerification.base(base), clock.millis(), known.last());
    table.write(known.number(), List.of(entry));
    table.prune(known.number(), base);
    if (file != null) {
      file.write(entry.head());
    }
    return new Ready(known.number(), entry.head());
  }
}
