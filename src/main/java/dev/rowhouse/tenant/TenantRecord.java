package dev.rowhouse.tenant;

import dev.rowhouse.tenant.TenantReply.Reason;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
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

  public sealed interface Command {}

  /** Asks the record; the answer comes when what it says is durable. */
  public record Execute(TenantCommand command, ActorRef<TenantReply> replyTo) implements Command {}

  /** Asks it to stop when what it holds is written. */
  public record Stop() implements Command {}

  private record FenceAnswered(FencedWrites.Answer answer) implements Command {}

  private record FenceFailed(String reason) implements Command {}

  /** What the parent is told. */
  public sealed interface Notice {}

  public record ProfileChanged(TenantProfile profile) implements Notice {}

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
      Duration fenceTimeout,
      String defaultPlan,
      InstantSource clock) {}

  private final TenantId tenant;
  private final ActorContext<Command> context;
  private final ActorRef<? super Notice> parent;
  private final Setting setting;
  private final FencedWrites writes;

  /** The command that waits for the Fence. */
  private @Nullable Execute held;

  private boolean isFencedOff;

  private TenantRecord(
      TenantId tenant,
      ActorContext<Command> context,
      ActorRef<? super Notice> parent,
      Setting setting) {
    super(persistenceId(tenant));
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
    return Behaviors.setup(context -> new TenantRecord(tenant, context, parent, setting));
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
          case FenceAnswered(FencedWrites.Answer answer) -> answered(state, answer);
          case FenceFailed(String reason) -> failed(reason);
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
        writes.mayWrite(state.version()),
        (answer, failure) ->
            answer == null ? new FenceFailed(String.valueOf(failure)) : new FenceAnswered(answer));
    return Effect().none();
  }

  private Effect<TenantEvent, Tenant> answered(Tenant state, FencedWrites.Answer answer) {
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
    return waiting == null
        ? Effect().none()
        : answerAndGoOn(
            Effect().none(),
            waiting,
            new TenantReply.Refused(
                Reason.JOURNAL_UNAVAILABLE, null, "the journal does not answer"));
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
        .onSignal(RecoveryCompleted.instance(), this::tellParent)
        .build();
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
