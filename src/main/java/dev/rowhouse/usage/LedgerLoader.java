package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
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
  private final TenantId tenant;
  private final ZoneId zone;
  private final LedgerSettings settings;
  private final SegmentReader reader;
  private final Instant now;
  private final ActorRef<? super Outcome> replyTo;
  private List<Fence.Claim> claims = List.of();

  private LedgerLoader(
      ActorContext<Step> context,
      TenantId tenant,
      ZoneId zone,
      LedgerSettings settings,
      SegmentReader reader,
      Instant now,
      ActorRef<? super Outcome> replyTo) {
    this.context = context;
    this.tenant = tenant;
    this.zone = zone;
    this.settings = settings;
    this.reader = reader;
    this.now = now;
    this.replyTo = replyTo;
  }

  static Behavior<Step> create(
      TenantId tenant,
      ZoneId zone,
      LedgerSettings settings,
      SegmentReader reader,
      Fence fence,
      Executor blocking,
      Instant now,
      ActorRef<? super Outcome> replyTo) {
    return Behaviors.setup(
        context -> {
          context.pipeToSelf(
              fence.claims(SegmentReader.fenceName(tenant), blocking),
              (claims, failure) ->
                  claims == null ? new Failed(Fence.cause(failure)) : new Claims(claims));
          LedgerLoader loader =
              new LedgerLoader(context, tenant, zone, settings, reader, now, replyTo);
          return Behaviors.receiveMessage(loader::onStep);
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
        LedgerState base =
            snapshot == null ? null : LedgerState.restore(settings.rules(), zone, snapshot);
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

  private Behavior<Step> probe(int index) {
    if (index < 0 || claims.size() - index > PROBES_MAX) {
      return fold(new LedgerState(settings.rules(), zone), Instant.EPOCH);
    }
    ActorRef<Step> self = context.getSelf();
    Adapter.actorOf(
        context,
        SnapshotProbe.props(
            SegmentReader.persistenceId(tenant, claims.get(index).number()),
            snapshot -> self.tell(new Probed(index, snapshot))));
    return Behaviors.same();
  }

  private Behavior<Step> fold(LedgerState state, Instant readAt) {
    List<Long> segments = worthReading(claims, state.read().keySet(), readAt, settings);
    context.pipeToSelf(
        reader.fold(segments, state).thenCompose(done -> resolve(state)),
        (done, failure) -> failure == null ? new Folded(state) : new Failed(Fence.cause(failure)));
    return Behaviors.same();
  }

  private CompletionStage<Done> resolve(LedgerState state) {
    Set<UUID> doubtful = state.doubtful();
    if (doubtful.isEmpty()) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    return reader
        .find(state.read().keySet(), doubtful)
        .thenApply(
            found -> {
              doubtful.forEach(
                  attempt -> state.resolve(attempt, found.getOrDefault(attempt, List.of())));
              return Done.getInstance();
            });
  }

  /**
   * The segments that may hold something new: those never read, and those whose successor was
   * claimed so shortly before the last reading that a late write could have landed since.
   */
  static List<Long> worthReading(
      List<Fence.Claim> claims, Set<Long> known, Instant readAt, LedgerSettings settings) {
    java.util.ArrayList<Long> segments = new java.util.ArrayList<>();
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
