package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The usage ledger of one tenant: a child of the tenant's entity, which is its only writer.
 *
 * <p>States: loading (no state yet; appends and queries wait), ready (state; opens a segment at its
 * first write), away (a read or write failed; everything is refused at once, and the journal is
 * read again after a back-off). From away it comes back to ready by itself. After a failed write it
 * never goes on with the same segment.
 *
 * <p>There is one append at a time: the next batch gathers at the parent meanwhile (group commit).
 */
public final class UsageLedger {
  /** The most records in one page. */
  public static final int PAGE_LENGTH_MAX = 1_000;

  public sealed interface Command {}

  /**
   * Write these. Whatever of it is in the journal already is not written again.
   *
   * @param batch the parent's number of it; the same when it is sent again
   * @param started what was started and is not among the records
   */
  public record Append(
      long batch,
      List<UsageRecord> records,
      List<StartedEntry> started,
      ActorRef<? super LedgerReply.Append> replyTo)
      implements Command {
    public Append {
      records = List.copyOf(records);
      started = List.copyOf(started);
    }

    boolean hasSameContent(Append other) {
      return batch == other.batch && records.equals(other.records) && started.equals(other.started);
    }
  }

  /** A question about what is known; it is refused while the ledger is away. */
  public sealed interface Query extends Command {
    ActorRef<? super LedgerReply.Away> replyTo();
  }

  /** The buckets that start in [from, to), the one that {@code from} falls into included. */
  public record GetUsage(
      Instant from,
      Instant to,
      Bucket bucket,
      GroupBy groupBy,
      ActorRef<? super LedgerReply.Usage> replyTo)
      implements Query {}

  public record GetTotals(ActorRef<? super LedgerReply.Sums> replyTo) implements Query {}

  /** The figures of this moment and what they are made of. */
  public record GetCut(@Nullable Buckets buckets, ActorRef<? super LedgerReply.Cut> replyTo)
      implements Query {}

  /** The buckets of that width that start in [from, to). */
  public record Buckets(Bucket bucket, Instant from, Instant to) {}

  /**
   * The records after a cursor, in the order of their positions.
   *
   * @param after the last id of the page before; absent for the first page
   */
  public record ReadRecords(
      @Nullable String after, int limit, ActorRef<? super LedgerReply.Records> replyTo)
      implements Query {}

  public record FindRecord(String attempt, ActorRef<? super LedgerReply.Find> replyTo)
      implements Query {}

  public record GetStatus(ActorRef<? super LedgerReply.Status> replyTo) implements Command {}

  /** What the ledger and its lookup tell it. */
  sealed interface Signal extends Command permits LedgerLoader.Outcome, LedgerNote {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final StashBuffer<Command> waiting;
  private final LedgerHome home;
  private final ActorRef<? super LedgerReply.Notice> parent;
  private final LedgerQueries queries;
  private final OpenSegment segment;
  private final LedgerLookup lookup;

  private @Nullable LedgerState state;
  private Instant readAt = Instant.EPOCH;
  private @Nullable String failure;
  private int failures;

  private @Nullable Append append;
  private LedgerEvent.@Nullable Recorded writing;
  private @Nullable Append writingFor;

  private UsageLedger(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      StashBuffer<Command> waiting,
      LedgerHome home,
      ActorRef<? super LedgerReply.Notice> parent) {
    this.context = context;
    this.timers = timers;
    this.waiting = waiting;
    this.home = home;
    this.parent = parent;
    this.queries = new LedgerQueries(home);
    this.segment = new OpenSegment(context, home);
    this.lookup = new LedgerLookup(context, home);
  }

  /**
   * A ledger.
   *
   * @param zone the time zone of the tenant's months
   * @param parent hears what the journal holds whenever it was read, or that it cannot be
   * @param owner this incarnation's name, for the people who read the Fence
   */
  public static Behavior<Command> create(
      TenantId tenant,
      ZoneId zone,
      ActorRef<? super LedgerReply.Notice> parent,
      Fence fence,
      LedgerSettings settings,
      String owner,
      InstantSource clock) {
    return Behaviors.setup(
        context -> {
          LedgerHome home =
              LedgerHome.of(context.getSystem(), tenant, zone, fence, settings, owner, clock);
          return Behaviors.withTimers(
              timers ->
                  Behaviors.withStash(
                      home.settings().queriesWaitingMax(),
                      waiting -> {
                        timers.startTimerWithFixedDelay(
                            new LedgerNote.Check(), home.settings().checkEvery());
                        UsageLedger ledger =
                            new UsageLedger(context, timers, waiting, home, parent);
                        ledger.load();
                        return ledger.behavior();
                      }));
        });
  }

  private Behavior<Command> behavior() {
    return Behaviors.receiveMessage(this::onCommand);
  }

  private Behavior<Command> onCommand(Command command) {
    return switch (command) {
      case Append asked -> onAppend(asked);
      case Query asked -> onQuery(asked);
      case GetStatus asked -> {
        asked.replyTo().tell(LedgerQueries.status(state, segment.number(), failure, readAt));
        yield Behaviors.same();
      }
      case LedgerLoader.Loaded loaded -> onLoaded(loaded);
      case LedgerLoader.LoadFailed failed -> away("cannot read the journal", failed.cause());
      case LedgerNote.Reload reload -> load();
      case LedgerNote.Check check -> onCheck();
      case LedgerNote.Claimed claimed -> onClaimed(claimed.number());
      case LedgerNote.Landed landed -> onWritten(landed.written());
      case LedgerNote.SegmentLost lost -> onSegmentLost(lost.number());
      case LedgerNote.Looked looked -> onLooked(looked);
      case LedgerNote.Late late -> onLate(late);
      case LedgerNote.Resolved resolved -> onResolved(resolved);
      case LedgerNote.ReadDone done -> {
        queries.done();
        yield Behaviors.same();
      }
      case LedgerNote.Failed failed -> onFailed(failed);
    };
  }

  // Reading all of it.

  private Behavior<Command> load() {
    context.spawnAnonymous(LedgerLoader.create(home, context.getSelf()));
    return Behaviors.same();
  }

  private Behavior<Command> onLoaded(LedgerLoader.Loaded loaded) {
    state = loaded.state();
    readAt = loaded.readAt();
    failure = null;
    parent.tell(LedgerQueries.opened(loaded.state(), home.now()));
    next();
    return waiting.unstashAll(behavior());
  }

  private Behavior<Command> away(String what, Throwable cause) {
    context.getLog().warn("the ledger of {} is away: {}", home.tenant(), what, cause);
    state = null;
    failure = what + ": " + cause.getMessage();
    parent.tell(new LedgerReply.Unread(failure));
    lookup.forget();
    writing = null;
    segment.leave();
    Append refused = append;
    append = null;
    if (refused != null) {
      refused.replyTo().tell(new LedgerReply.AppendFailed(refused.batch(), failure));
    }
    timers.startSingleTimer(new LedgerNote.Reload(), home.settings().backoff(failures));
    failures++;
    return waiting.unstashAll(behavior());
  }

  // Writing.

  private Behavior<Command> onAppend(Append asked) {
    Append before = append;
    if (before != null && before.batch() != asked.batch()) {
      asked.replyTo().tell(new LedgerReply.AppendFailed(asked.batch(), "another batch is written"));
    } else if (failure != null && state == null) {
      asked.replyTo().tell(new LedgerReply.AppendFailed(asked.batch(), failure));
    } else {
      append = asked;
      next();
    }
    return Behaviors.same();
  }

  /** Starts the next write, when there is one and none is on its way. */
  private void next() {
    LedgerState known = state;
    if (known == null || writing != null || lookup.isLooking()) {
      return;
    }
    Append asked = append;
    if (asked != null) {
      LedgerState.Sifted sifted = known.sift(asked.records(), asked.started(), null);
      if (sifted.unsure().isEmpty()) {
        writeAppend(known, asked, sifted);
      } else {
        lookup.look(known, asked.batch(), sifted.unsure());
      }
    } else {
      List<UsageRecord> abandoned = known.abandoned(home.now());
      if (!abandoned.isEmpty()) {
        writingFor = null;
        write(known, new LedgerEvent.Recorded(abandoned, List.of()));
      }
    }
  }

  private Behavior<Command> onLooked(LedgerNote.Looked looked) {
    LedgerState known = state;
    if (known != null && looked.of() == known) {
      lookup.looked();
      Append asked = append;
      if (asked != null && asked.batch() == looked.batch() && writing == null) {
        Set<UUID> settled = LedgerQueries.settled(looked.found());
        writeAppend(known, asked, known.sift(asked.records(), asked.started(), settled));
      } else {
        next();
      }
    }
    return Behaviors.same();
  }

  private void writeAppend(LedgerState known, Append asked, LedgerState.Sifted sifted) {
    if (sifted.isEmpty()) {
      append = null;
      asked.replyTo().tell(new LedgerReply.Appended(asked.batch()));
      next();
    } else {
      writingFor = asked;
      write(known, new LedgerEvent.Recorded(sifted.records(), sifted.started()));
    }
  }

  private void write(LedgerState known, LedgerEvent.Recorded event) {
    writing = event;
    if (segment.isOpen()) {
      segment.write(event, known);
    } else {
      segment.claim();
    }
  }

  private Behavior<Command> onClaimed(long number) {
    LedgerState known = state;
    // A number that was claimed before a failure may come late; one segment is enough.
    if (known != null && writing != null && !segment.isOpen()) {
      segment.open(number, known);
    }
    return Behaviors.same();
  }

  private Behavior<Command> onWritten(Segment.Written written) {
    LedgerState known = state;
    if (known == null || !segment.is(written.segment())) {
      return Behaviors.same();
    }
    known.apply(written.segment(), written.sequence(), written.event());
    failures = 0;
    switch (written.event()) {
      case LedgerEvent.SegmentOpened opened -> {
        if (writing != null) {
          segment.write(writing, known);
        }
      }
      case LedgerEvent.Recorded recorded -> {
        writing = null;
        onRecorded();
      }
    }
    return Behaviors.same();
  }

  private void onRecorded() {
    Append asked = append;
    Append written = writingFor;
    // An append that came meanwhile, or was sent again with more in it, is still to do.
    if (asked != null && written != null && asked.hasSameContent(written)) {
      append = null;
      asked.replyTo().tell(new LedgerReply.Appended(asked.batch()));
    }
    lookup.resolve(state);
    next();
  }

  private Behavior<Command> onSegmentLost(long number) {
    return segment.is(number)
        ? away("cannot write the journal", new IllegalStateException("segment " + number + " lost"))
        : Behaviors.same();
  }

  private Behavior<Command> onFailed(LedgerNote.Failed failed) {
    return state == null ? Behaviors.same() : away(failed.what(), failed.cause());
  }

  // Looking after what others wrote, and what nobody settled.

  private Behavior<Command> onCheck() {
    LedgerState known = state;
    next();
    if (known != null && !home.now().isBefore(readAt.plus(home.settings().reconcileEvery()))) {
      lookup.late(known, readAt, segment.number());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onLate(LedgerNote.Late late) {
    LedgerState known = state;
    if (known != null && late.of() == known) {
      lookup.read();
      // A full page may have left some behind: readAt stays, so that the next check reads on.
      readAt = late.events().size() < LedgerLoader.LATE_EVENTS_MAX ? late.readAt() : readAt;
      late.events().forEach(it -> known.apply(it.segment(), it.sequence(), it.event()));
      if (!late.events().isEmpty()) {
        parent.tell(LedgerQueries.opened(known, home.now()));
      }
      lookup.resolve(known);
      next();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onResolved(LedgerNote.Resolved resolved) {
    LedgerState known = state;
    if (known != null && resolved.of() == known) {
      lookup.read();
      known.resolve(resolved.attempts(), resolved.found());
      parent.tell(LedgerQueries.opened(known, home.now()));
      lookup.resolve(known);
    }
    return Behaviors.same();
  }

  // Answering.

  private Behavior<Command> onQuery(Query query) {
    LedgerState known = state;
    if (known != null) {
      context.pipeToSelf(
          queries.answer(known, query), (done, problem) -> new LedgerNote.ReadDone());
    } else if (failure != null) {
      query.replyTo().tell(new LedgerReply.Away(failure));
    } else if (waiting.isFull()) {
      query.replyTo().tell(new LedgerReply.Away("too many queries wait for the ledger to be read"));
    } else {
      waiting.stash(query);
    }
    return Behaviors.same();
  }
}
