package dev.rowhouse.tenant;

import dev.rowhouse.tenant.TenantReply.Reason;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.persistence.typed.EventAdapter;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EffectBuilder;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The event-sourced record of one tenant, a child of the tenant's sharded actor: {@link Tenant}
 * with a journal.
 *
 * <p>After recovery, and after each change, the parent is told with a {@link Notice}. Before each
 * write the Fence is asked; the commands that come meanwhile wait in the stash. A record that may
 * not write any more refuses what it holds ({@code record_moved}) and stops; one whose journal
 * fails stops as well. The parent watches it and starts it again, after a back-off.
 */
public final class TenantRecord
    extends EventSourcedBehavior<TenantRecord.Command, TenantEvent, Tenant> {

  /** Some 50 events are read in a few milliseconds; changes of a tenant are rare. */
  private static final int EVENTS_PER_SNAPSHOT = 50;

  private static final int SNAPSHOTS_KEPT = 2;

  /** Commands that wait for the data key, which takes some milliseconds. */
  private static final int STASH_MAX = 1_000;

  public sealed interface Command {}

  /** Asks the record; the answer comes when what it says is durable. */
  public record Execute(TenantCommand command, ActorRef<TenantReply> replyTo) implements Command {}

  /** Asks it to stop when what it holds is written. */
  public record Stop() implements Command {}

  private record KeyFound(DataKeys.Lookup key) implements Command {}

  private record KeyAway(String reason) implements Command {}

  private record KeyMade(DataKey key) implements Command {}

  private record FenceAnswered(FencedWrites.Answer answer, DataKey key) implements Command {}

  /** What a write needs: the Fence's word, and a key to seal with. */
  private record MayWrite(FencedWrites.Answer answer, DataKey key) {}

  private record FenceFailed(String reason) implements Command {}

  /** What the parent is told. */
  public sealed interface Notice {}

  public record ProfileChanged(TenantProfile profile) implements Notice {}

  /** What seals this tenant's words; it comes before the profile. */
  public record Keyed(DataKey key) implements Notice {}

  /** There is no such tenant. */
  public record Unknown(TenantId tenant) implements Notice {}

  /**
   * What a record needs from its node.
   *
   * @param fenceTimeout how long a write waits for the Fence before it is refused
   */
  public record Setting(
      WriteFence fence,
      JournalProbe probe,
      DataKeys keys,
      TenantSealing sealing,
      Duration fenceTimeout,
      String defaultPlan,
      InstantSource clock) {}

  private final TenantId tenant;
  private final ActorContext<Command> context;
  private final ActorRef<? super Notice> parent;
  private final Setting setting;
  private final FencedWrites writes;
  private final TenantSealing.Edge edge;

  /** The command that waits for the Fence. */
  private @Nullable Execute held;

  private boolean isFencedOff;

  private TenantRecord(
      TenantId tenant,
      ActorContext<Command> context,
      ActorRef<? super Notice> parent,
      Setting setting,
      TenantSealing.Edge edge) {
    super(persistenceId(tenant));
    this.edge = edge;
    this.tenant = tenant;
    this.context = context;
    this.parent = parent;
    this.setting = setting;
    this.writes =
        new FencedWrites(
            setting.fence(), setting.probe(), persistenceId(tenant).id(), setting.fenceTimeout());
  }

  public static PersistenceId persistenceId(TenantId tenant) {
    return PersistenceId.ofUniqueId("tenant|" + tenant);
  }

  public static Behavior<Command> create(
      TenantId tenant, ActorRef<? super Notice> parent, Setting setting) {
    return Behaviors.setup(
        context -> {
          context.pipeToSelf(
              setting.keys().findLater(tenant),
              (key, failure) ->
                  key == null ? new KeyAway(String.valueOf(failure)) : new KeyFound(key));
          return Behaviors.withStash(
              STASH_MAX, stash -> awaitKey(tenant, context, parent, setting, stash));
        });
  }

  /** Nothing of the journal can be read before the key is there; what is asked meanwhile waits. */
  private static Behavior<Command> awaitKey(
      TenantId tenant,
      ActorContext<Command> context,
      ActorRef<? super Notice> parent,
      Setting setting,
      StashBuffer<Command> stash) {
    return Behaviors.receiveMessage(
        message ->
            switch (message) {
              case KeyFound(DataKeys.Lookup key) ->
                  stash.unstashAll(
                      new TenantRecord(
                          tenant,
                          context,
                          parent,
                          setting,
                          new TenantSealing.Edge(setting.sealing(), key)));
              case KeyAway(String reason) -> {
                context.getLog().warn("The data key of {} cannot be read: {}", tenant, reason);
                stash.forEach(TenantRecord::refuse);
                yield Behaviors.stopped();
              }
              case Command _ when stash.isFull() -> {
                refuse(message);
                yield Behaviors.same();
              }
              case Command _ -> {
                stash.stash(message);
                yield Behaviors.same();
              }
            });
  }

  private static void refuse(Command waiting) {
    if (waiting instanceof Execute execute) {
      execute.replyTo().tell(away());
    }
  }

  private static TenantReply away() {
    return new TenantReply.Refused(Reason.JOURNAL_UNAVAILABLE, null, "the journal does not answer");
  }

  @Override
  public Tenant emptyState() {
    return Tenant.unknown(tenant);
  }

  @Override
  public EventHandler<Tenant, TenantEvent> eventHandler() {
    return Tenant::apply;
  }

  @Override
  public CommandHandler<Command, TenantEvent, Tenant> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Execute execute -> held == null ? execute(state, execute) : Effect().stash();
          case FenceAnswered(FencedWrites.Answer answer, DataKey key) ->
              answered(state, answer, key);
          case FenceFailed(String reason) -> failed(reason);
          case KeyMade(DataKey key) -> {
            keyed(key);
            yield Effect().none();
          }
          case KeyFound _, KeyAway _ -> Effect().none();
          case Stop _ -> held == null ? Effect().stop() : Effect().stash();
        };
  }

  private Effect<TenantEvent, Tenant> execute(Tenant state, Execute execute) {
    if (isFencedOff) {
      return Effect().reply(execute.replyTo(), moved());
    }
    Decision decision = decide(state, execute);
    if (decision.events().isEmpty()) {
      return Effect().reply(execute.replyTo(), decision.reply());
    }
    held = execute;
    context.pipeToSelf(
        writes.mayWrite(state.version()).thenCompose(this::withKey),
        (may, failure) ->
            may == null
                ? new FenceFailed(String.valueOf(failure))
                : new FenceAnswered(may.answer(), may.key()));
    return Effect().none();
  }

  private CompletionStage<MayWrite> withKey(FencedWrites.Answer answer) {
    DataKey key = edge.key();
    return key == null
        ? setting.keys().obtainLater(tenant).thenApply(made -> new MayWrite(answer, made))
        : CompletableFuture.completedFuture(new MayWrite(answer, key));
  }

  /** From now on what is written can be sealed. */
  private void keyed(DataKey key) {
    if (edge.key() == null) {
      edge.key(key);
      parent.tell(new Keyed(key));
    }
  }

  private Effect<TenantEvent, Tenant> answered(
      Tenant state, FencedWrites.Answer answer, DataKey key) {
    Execute waiting = held;
    held = null;
    if (waiting == null) {
      return Effect().none();
    }
    if (!answer.mayWrite()) {
      context.getLog().warn("The record of {} is written elsewhere; this one stops.", tenant);
      isFencedOff = true;
      // What waits in the stash is answered first, then this comes.
      context.getSelf().tell(new Stop());
      return answerAndGoOn(Effect().none(), waiting, moved());
    }
    writes.remember(answer);
    keyed(key);
    Decision decision = decide(state, waiting);
    return answerAndGoOn(
        Effect().persist(decision.events()).thenRun(this::tellParent), waiting, decision.reply());
  }

  /** What waits in the stash comes next. */
  private static Effect<TenantEvent, Tenant> answerAndGoOn(
      EffectBuilder<TenantEvent, Tenant> effect, Execute waiting, TenantReply reply) {
    return effect.thenRun(_ -> waiting.replyTo().tell(reply)).thenUnstashAll();
  }

  private Effect<TenantEvent, Tenant> failed(String reason) {
    Execute waiting = held;
    held = null;
    context.getLog().warn("The Fence did not answer for {}: {}", tenant, reason);
    return waiting == null ? Effect().none() : answerAndGoOn(Effect().none(), waiting, away());
  }

  private Decision decide(Tenant state, Execute execute) {
    return state.decide(execute.command(), setting.clock().instant(), setting.defaultPlan());
  }

  private static TenantReply moved() {
    return new TenantReply.Refused(
        Reason.RECORD_MOVED, null, "the tenant has just moved to another node: ask again");
  }

  @Override
  public SignalHandler<Tenant> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::recovered)
        .build();
  }

  private void recovered(Tenant state) {
    DataKey key = edge.key();
    if (key != null) {
      parent.tell(new Keyed(key));
    } else if (state.status() != null && state.status() != TenantProfile.Status.OFFBOARDED) {
      // A record of the time before data keys: its tenant gets one now.
      context.pipeToSelf(
          setting.keys().obtainLater(tenant),
          (made, failure) ->
              made == null ? new KeyAway(String.valueOf(failure)) : new KeyMade(made));
    }
    tellParent(state);
  }

  @Override
  public EventAdapter<TenantEvent, Object> eventAdapter() {
    return edge.events();
  }

  @Override
  public SnapshotAdapter<Tenant> snapshotAdapter() {
    return edge.snapshots();
  }

  private void tellParent(Tenant state) {
    TenantProfile profile = state.profile(setting.defaultPlan());
    parent.tell(profile == null ? new Unknown(tenant) : new ProfileChanged(profile));
  }

  @Override
  public Set<String> tagsFor(TenantEvent event) {
    return Set.of(TenantEvent.TAG);
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT);
  }
}
