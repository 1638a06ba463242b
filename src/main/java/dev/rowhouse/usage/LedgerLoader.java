package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a ledger has to know, answers with the state, and stops: the claims of the Fence, the
 * newest snapshot there is, then all segments from where that snapshot had read them.
 */
final class LedgerLoader {
  /**
   * How many segments are asked for a snapshot, the latest first. Each segment has one right after
   * its opening, so more misses in a row mean that the snapshots are gone.
   */
  static final int PROBES_MAX = 100;

  /** The most late events taken in by one reconciliation; the next one takes more. */
  static final int LATE_EVENTS_MAX = 100;

  sealed interface Step {}

  /** The answer: the state, or why there is none. */
  sealed interface Outcome extends UsageLedger.Signal {}

  record Loaded(LedgerState state, Instant readAt) implements Outcome {}

  record LoadFailed(Throwable cause) implements Outcome {}

  private record Claims(List<Fence.Claim> claims) implements Step {}

  private record Probed(int index, @Nullable LedgerSnapshot snapshot) implements Step {}

  private record Folded(LedgerState state) implements Step {}

  private record Failed(Throwable cause) implements Step {}

  private final ActorContext<Step> context;
  private final LedgerHome home;
  private final ActorRef<? super Outcome> replyTo;
  private final Instant now;
  private List<Fence.Claim> claims = List.of();

  private LedgerLoader(
      ActorContext<Step> context, LedgerHome home, ActorRef<? super Outcome> replyTo) {
    this.context = context;
    this.home = home;
    this.replyTo = replyTo;
    this.now = home.now();
  }

  static Behavior<Step> create(LedgerHome home, ActorRef<? super Outcome> replyTo) {
    return Behaviors.setup(
        context -> {
          context.pipeToSelf(
              home.claims(),
              (claims, failure) ->
                  claims == null ? new Failed(Fence.cause(failure)) : new Claims(claims));
          return Behaviors.receiveMessage(new LedgerLoader(context, home, replyTo)::onStep);
        });
  }

  private Behavior<Step> onStep(Step step) {
    return switch (step) {
      case Claims found -> {
        claims = found.claims();
        yield probe(claims.size() - 1);
      }
      case Probed probed -> {
        LedgerSnapshot snapshot = probed.snapshot();
        LedgerState base = snapshot == null ? null : restore(snapshot);
        yield snapshot == null || base == null
            ? probe(probed.index() - 1)
            : fold(base, Instant.ofEpochMilli(snapshot.timeMillis));
      }
      case Folded folded -> {
        replyTo.tell(new Loaded(folded.state(), now));
        yield Behaviors.stopped();
      }
      case Failed failed -> {
        replyTo.tell(new LoadFailed(failed.cause()));
        yield Behaviors.stopped();
      }
    };
  }

  private @Nullable LedgerState restore(LedgerSnapshot snapshot) {
    try {
      return LedgerState.restore(home.settings().rules(), home.zone(), snapshot);
    } catch (RuntimeException e) {
      context.getLog().warn("a snapshot of {} makes no sense and is not used", home.tenant(), e);
      return null;
    }
  }

  private Behavior<Step> probe(int index) {
    if (index < 0 || claims.size() - index > PROBES_MAX) {
      return fold(new LedgerState(home.settings().rules(), home.zone()), Instant.EPOCH);
    }
    ActorRef<Step> self = context.getSelf();
    Adapter.actorOf(
        context,
        SnapshotProbe.props(
            SegmentReader.persistenceId(home.tenant(), claims.get(index).number()),
            snapshot -> self.tell(new Probed(index, snapshot))));
    return Behaviors.same();
  }

  private Behavior<Step> fold(LedgerState state, Instant readAt) {
    List<Long> segments = worthReading(claims, state.read().keySet(), readAt, home.settings());
    context.pipeToSelf(
        home.reader().fold(segments, state).thenCompose(done -> resolve(state)),
        (done, failure) -> failure == null ? new Folded(state) : new Failed(Fence.cause(failure)));
    return Behaviors.same();
  }

  private CompletionStage<Done> resolve(LedgerState state) {
    Set<UUID> doubtful = state.doubtful();
    if (doubtful.isEmpty()) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    return home.reader()
        .find(state.read().keySet(), doubtful)
        .thenApply(
            found -> {
              state.resolve(doubtful, found);
              return Done.getInstance();
            });
  }

  /**
   * What others wrote since, of which each segment was read so far.
   *
   * @param mine the segment that needs no look; 0 when there is none
   */
  static CompletionStage<List<SegmentReader.Stored>> late(
      LedgerHome home, Map<Long, Long> read, Instant readAt, long mine) {
    return home.claims()
        .thenCompose(
            claims ->
                home.reader()
                    .after(
                        worthReading(claims, read.keySet(), readAt, home.settings()).stream()
                            .filter(number -> number != mine)
                            .toList(),
                        read,
                        LATE_EVENTS_MAX));
  }

  /**
   * The segments that may hold something new: those never read, and those whose successor was
   * claimed so shortly before the last reading that a late write could have landed since.
   */
  static List<Long> worthReading(
      List<Fence.Claim> claims, Set<Long> known, Instant readAt, LedgerSettings settings) {
    List<Long> segments = new ArrayList<>();
    for (int at = 0; at < claims.size(); at++) {
      long number = claims.get(at).number();
      boolean closed =
          known.contains(number)
              && at + 1 < claims.size()
              && claims.get(at + 1).claimedAt().plus(settings.lateWritesMax()).isBefore(readAt);
      if (!closed) {
        segments.add(number);
      }
    }
    return List.copyOf(segments);
  }
}
