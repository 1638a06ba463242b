package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
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

  /** The most late events taken in by one reconciliation; the next one takes more. */
  private static final int LATE_EVENTS_MAX = 1_000;

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
  }

  /** The buckets that start in [from, to), the one that {@code from} falls into included. */
  public record GetUsage(
      Instant from,
      Instant to,
      Bucket bucket,
      GroupBy groupBy,
      ActorRef<? super LedgerReply.Usage> replyTo)
      implements Command {}

  public record GetTotals(ActorRef<? super LedgerReply.Sums> replyTo) implements Command {}

  /**
   * The records after a cursor, in the order of their positions.
   *
   * @param after the last id of the page before; absent for the first page
   */
  public record ReadRecords(
      @Nullable String after, int limit, ActorRef<? super LedgerReply.Records> replyTo)
      implements Command {}

  public record FindRecord(String attempt, ActorRef<? super LedgerReply.Find> replyTo)
      implements Command {}

  public record GetStatus(ActorRef<? super LedgerReply.Status> replyTo) implements Command {}

  /** What the ledger tells itself. */
  sealed interface Signal extends Command permits LedgerLoader.Outcome, UsageLedger.Note {}

  sealed interface Note extends Signal {}

  private record Reload() implements Note {}

  private record Check() implements Note {}

  private record Claimed(long number) implements Note {}

  private record Landed(Segment.Written written) implements Note {}

  private record SegmentLost(long number) implements Note {}

  private record Looked(long batch, Map<UUID, List<Located>> found) implements Note {}

  private record Late(List<SegmentReader.Stored> events, Instant readAt) implements Note {}

  private record Resolved(Set<UUID> attempts, Map<UUID, List<Located>> found) implements Note {}

  private record ReadDone() implements Note {}

  /** Something that the ledger tried did not work; the state is as it was. */
  private record Failed(String what, Throwable cause) implements Note {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final StashBuffer<Command> waiting;
  private final TenantId tenant;
  private final ZoneId zone;
  private final ActorRef<? super LedgerReply.Opened> parent;
  private final Fence fence;
  private final Executor blocking;
  private final LedgerSettings settings;
  private final SegmentReader reader;
  private final LedgerQueries queries;
  private final String owner;
  private final InstantSource clock;

  private @Nullable LedgerState state;
  private Instant readAt = Instant.EPOCH;
  private @Nullable String failure;
  private int failures;

  private @Nullable Append append;
  private LedgerEvent.@Nullable Recorded writing;
  private boolean abandonment;
  private boolean looking;
  private boolean reading;
  private @Nullable ActorRef<Segment.Write> segment;
  private long segmentNumber;

  private UsageLedger(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      StashBuffer<Command> waiting,
      TenantId tenant,
      ZoneId zone,
      ActorRef<? super LedgerReply.Opened> parent,
      Fence fence,
      LedgerSettings settings,
      String owner,
      InstantSource clock) {
    this.context = context;
    this.timers = timers;
    this.waiting = waiting;
    this.tenant = tenant;
    this.zone = zone;
    this.parent = parent;
    this.fence = fence;
    this.settings = settings;
    this.owner = owner;
    this.clock = clock;
    this.blocking =
        context
            .getSystem()
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig(settings.blockingDispatcher()));
    this.reader = new SegmentReader(context.getSystem(), tenant, settings.readJournal());
    this.queries = new LedgerQueries(reader, settings.readsMax(), clock);
  }

  /**
   * A ledger.
   *
   * @param zone the time zone of the tenant's months
   * @param parent hears what the journal holds, whenever it was read
   * @param owner this incarnation's name, for the people who read the Fence
   */
  public static Behavior<Command> create(
      TenantId tenant,
      ZoneId zone,
      ActorRef<? super LedgerReply.Opened> parent,
      Fence fence,
      LedgerSettings settings,
      String owner,
      InstantSource clock) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    Behaviors.withStash(
                        settings.queriesWaitingMax(),
                        waiting -> {
                          UsageLedger ledger =
                              new UsageLedger(
                                  context, timers, waiting, tenant, zone, parent, fence, settings,
                                  owner, clock);
                          ledger.load();
                          timers.startTimerWithFixedDelay(new Check(), settings.checkEvery());
                          return ledger.behavior();
                        })));
  }

  private Behavior<Command> behavior() {
    return Behaviors.receiveMessage(this::onCommand);
  }

  private Behavior<Command> onCommand(Command command) {
    return switch (command) {
      case Append asked -> onAppend(asked);
      case GetUsage asked -> onQuery(asked, asked.replyTo());
      case GetTotals asked -> onQuery(asked, asked.replyTo());
      case ReadRecords asked -> onQuery(asked, asked.replyTo());
      case FindRecord asked -> onQuery(asked, asked.replyTo());
      case GetStatus asked -> onStatus(asked);
      case LedgerLoader.Loaded loaded -> onLoaded(loaded);
      case LedgerLoader.LoadFailed failed -> away("cannot read the journal", failed.cause());
      case Reload reload -> load();
      case Check check -> onCheck();
      case Claimed claimed -> onClaimed(claimed.number());
      case Landed landed -> onWritten(landed.written());
      case SegmentLost lost -> onSegmentLost(lost.number());
      case Looked looked -> onLooked(looked);
      case Late late -> onLate(late);
      case Resolved resolved -> onResolved(resolved);
      case ReadDone done -> {
        queries.done();
        yield Behaviors.same();
      }
      case Failed failed -> onFailed(failed);
    };
  }

  // Reading all of it.

  private Behavior<Command> load() {
    context.spawnAnonymous(
        LedgerLoader.create(
            tenant, zone, settings, reader, fence, blocking, clock.instant(), context.getSelf()));
    return Behaviors.same();
  }

  private Behavior<Command> onLoaded(LedgerLoader.Loaded loaded) {
    state = loaded.state();
    readAt = loaded.readAt();
    failure = null;
    tellParent(loaded.state());
    next();
    return waiting.unstashAll(behavior());
  }

  private void tellParent(LedgerState known) {
    Instant now = clock.instant();
    parent.tell(
        new LedgerReply.Opened(
            known.totals(), known.month(now), known.lastMinute(now), known.openStarts()));
  }

  private Behavior<Command> away(String what, Throwable cause) {
    context.getLog().warn("the ledger of {} is away: {}", tenant, what, cause);
    state = null;
    failure = what + ": " + cause.getMessage();
    looking = false;
    reading = false;
    writing = null;
    segment = null;
    refuseAppend(failure);
    Duration backoff = settings.backoff(failures);
    failures++;
    timers.startSingleTimer(new Reload(), backoff);
    return waiting.unstashAll(behavior());
  }

  private void refuseAppend(String reason) {
    Append refused = append;
    append = null;
    if (refused != null) {
      refused.replyTo().tell(new LedgerReply.AppendFailed(refused.batch(), reason));
    }
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
    if (known == null || writing != null || looking) {
      return;
    }
    Append asked = append;
    if (asked != null) {
      LedgerState.Sifted sifted = known.sift(asked.records(), asked.started(), null);
      if (sifted.unsure().isEmpty()) {
        writeAppend(asked, sifted);
      } else {
        looking = true;
        context.pipeToSelf(
            reader.find(known.read().keySet(), sifted.unsure()),
            (found, problem) ->
                found == null
                    ? new Failed("cannot look up old attempts", Fence.cause(problem))
                    : new Looked(asked.batch(), found));
      }
    } else {
      List<UsageRecord> abandoned = known.abandoned(clock.instant());
      if (!abandoned.isEmpty()) {
        abandonment = true;
        write(new LedgerEvent.Recorded(abandoned, List.of()));
      }
    }
  }

  private Behavior<Command> onLooked(Looked looked) {
    looking = false;
    LedgerState known = state;
    Append asked = append;
    if (known != null && asked != null && asked.batch() == looked.batch()) {
      Set<UUID> settled = LedgerQueries.settled(looked.found());
      writeAppend(asked, known.sift(asked.records(), asked.started(), settled));
    } else {
      next();
    }
    return Behaviors.same();
  }

  private void writeAppend(Append asked, LedgerState.Sifted sifted) {
    if (sifted.isEmpty()) {
      append = null;
      asked.replyTo().tell(new LedgerReply.Appended(asked.batch()));
      next();
    } else {
      abandonment = false;
      write(new LedgerEvent.Recorded(sifted.records(), sifted.started()));
    }
  }

  private void write(LedgerEvent.Recorded event) {
    writing = event;
    ActorRef<Segment.Write> open = segment;
    if (open != null) {
      send(open, event);
    } else {
      context.pipeToSelf(
          fence.claim(SegmentReader.fenceName(tenant), owner, blocking),
          (number, problem) ->
              number == null
                  ? new Failed("cannot claim a segment", Fence.cause(problem))
                  : new Claimed(number));
    }
  }

  private Behavior<Command> onClaimed(long number) {
    LedgerState known = state;
    if (known == null) {
      return Behaviors.same();
    }
    ActorRef<Segment.Write> opened =
        context.spawn(
            Segment.create(SegmentReader.persistenceId(tenant, number), number, settings),
            "segment-" + number);
    context.watchWith(opened, new SegmentLost(number));
    segment = opened;
    segmentNumber = number;
    send(
        opened,
        new LedgerEvent.SegmentOpened(number, clock.millis(), owner, known.totals(), known.read()));
    return Behaviors.same();
  }

  private void send(ActorRef<Segment.Write> open, LedgerEvent event) {
    LedgerState known = state;
    if (known != null) {
      boolean due = settings.isSnapshotAt(known.readUpTo(segmentNumber) + 1);
      LedgerSnapshot snapshot = due ? known.snapshot(clock.instant()) : null;
      open.tell(
          new Segment.Write(
              event, snapshot, context.messageAdapter(Segment.Written.class, Landed::new)));
    }
  }

  private Behavior<Command> onWritten(Segment.Written written) {
    LedgerState known = state;
    ActorRef<Segment.Write> open = segment;
    if (known == null || open == null || written.segment() != segmentNumber) {
      return Behaviors.same();
    }
    known.apply(written.segment(), written.sequence(), written.event());
    failures = 0;
    LedgerEvent.Recorded event = writing;
    switch (written.event()) {
      case LedgerEvent.SegmentOpened opened -> {
        if (event != null) {
          send(open, event);
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
    // What was abandoned is written while no append waits; one that came since is still to do.
    if (asked != null && !abandonment) {
      append = null;
      asked.replyTo().tell(new LedgerReply.Appended(asked.batch()));
    }
    resolve();
    next();
  }

  private Behavior<Command> onSegmentLost(long number) {
    return segment != null && number == segmentNumber
        ? away("cannot write the journal", new IllegalStateException("segment " + number + " lost"))
        : Behaviors.same();
  }

  private Behavior<Command> onFailed(Failed failed) {
    return state == null ? Behaviors.same() : away(failed.what(), failed.cause());
  }

  // Looking after what others wrote, and what nobody settled.

  private Behavior<Command> onCheck() {
    LedgerState known = state;
    Instant now = clock.instant();
    next();
    if (known != null && !reading && !now.isBefore(readAt.plus(settings.reconcileEvery()))) {
      reading = true;
      Instant before = readAt;
      long mine = segment == null ? 0 : segmentNumber;
      Map<Long, Long> read = known.read();
      context.pipeToSelf(
          fence
              .claims(SegmentReader.fenceName(tenant), blocking)
              .thenCompose(
                  claims ->
                      reader.after(
                          LedgerLoader.worthReading(claims, read.keySet(), before, settings)
                              .stream()
                              .filter(number -> number != mine)
                              .toList(),
                          read,
                          LATE_EVENTS_MAX)),
          (events, problem) ->
              events == null
                  ? new Failed("cannot reconcile", Fence.cause(problem))
                  : new Late(events, now));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onLate(Late late) {
    reading = false;
    LedgerState known = state;
    if (known != null) {
      // A full page may have left some behind: readAt stays, so that the next check reads on.
      readAt = late.events().size() < LATE_EVENTS_MAX ? late.readAt() : readAt;
      late.events().forEach(it -> known.apply(it.segment(), it.sequence(), it.event()));
      if (!late.events().isEmpty()) {
        tellParent(known);
        resolve();
      }
      next();
    }
    return Behaviors.same();
  }

  private void resolve() {
    LedgerState known = state;
    if (known != null && !reading && !known.doubtful().isEmpty()) {
      reading = true;
      Set<UUID> doubtful = known.doubtful();
      context.pipeToSelf(
          reader.find(known.read().keySet(), doubtful),
          (found, problem) ->
              found == null
                  ? new Failed("cannot look up doubtful attempts", Fence.cause(problem))
                  : new Resolved(doubtful, found));
    }
  }

  private Behavior<Command> onResolved(Resolved resolved) {
    reading = false;
    LedgerState known = state;
    if (known != null) {
      resolved
          .attempts()
          .forEach(
              attempt -> known.resolve(attempt, resolved.found().getOrDefault(attempt, List.of())));
      tellParent(known);
      resolve();
    }
    return Behaviors.same();
  }

  // Answering.

  private Behavior<Command> onQuery(Command query, ActorRef<? super LedgerReply.Away> refused) {
    LedgerState known = state;
    if (known != null) {
      context.pipeToSelf(queries.answer(known, query), (done, problem) -> new ReadDone());
    } else if (failure != null) {
      refused.tell(new LedgerReply.Away(failure));
    } else if (waiting.isFull()) {
      refused.tell(new LedgerReply.Away("too many queries wait for the ledger to be read"));
    } else {
      waiting.stash(query);
    }
    return Behaviors.same();
  }

  private Behavior<Command> onStatus(GetStatus asked) {
    LedgerState known = state;
    asked
        .replyTo()
        .tell(
            new LedgerReply.Status(
                known != null,
                segment == null ? 0 : segmentNumber,
                known == null || segment == null ? 0 : known.readUpTo(segmentNumber),
                known == null ? 0 : known.read().size(),
                known == null ? 0 : known.openStarts().size(),
                known == null ? 0 : known.windowSize(),
                failure,
                known == null ? null : readAt));
    return Behaviors.same();
  }
}
