package dev.rowhouse.fairness;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.jspecify.annotations.Nullable;

/**
 * The one actor of the cluster that hands free slots to tenants. It talks to workers only; a worker
 * tells a tenant what it holds. All it knows is {@link CoordinatorState}.
 *
 * <p>Before it acts it claims an epoch. Two of them may overlap for a moment (a pause, a split):
 * workers obey the highest epoch, and who reads of a higher one keeps still. If it is alive after
 * that for a while it may be the last one after all, and claims anew.
 */
public final class FairnessCoordinator extends AbstractBehavior<FairnessCoordinator.Command> {

  /** Name of the singleton. */
  public static final String NAME = "fairness";

  /** The role of the nodes that it may live on. */
  public static final String ROLE = "tenant";

  public sealed interface Command {}

  /**
   * All slots of a worker. A table with a higher version replaces an older one of the same
   * incarnation.
   *
   * @param worker the worker's stable name
   * @param epoch the highest epoch that the worker has obeyed
   */
  public record WorkerTable(
      String worker,
      long incarnation,
      long version,
      long epoch,
      ActorRef<SlotOwner> ref,
      List<PoolTable> pools)
      implements Command {
    public WorkerTable {
      pools = List.copyOf(pools);
    }
  }

  /**
   * What a tenant wants of one pool. Sent on change, and each second while something waits; one
   * with nothing waiting ends the backlog. {@link SlotUser#demand} makes it.
   *
   * @param incarnation which start of the tenant's actor
   * @param held slots that it knows it has, unused or running
   * @param holder where tickets go
   */
  public record Demand(
      String tenant,
      long incarnation,
      long version,
      String pool,
      Terms terms,
      Backlog backlog,
      int held,
      ActorRef<SlotHolder> holder)
      implements Command {
    public Demand {
      if (held < 0) {
        throw new IllegalArgumentException("a count is negative: " + held);
      }
    }
  }

  /** Is there a coordinator that acts? Only then comes an answer. */
  public record Ping(ActorRef<Pong> replyTo) implements Command {}

  /** There is, under this epoch. */
  public record Pong(long epoch) {}

  /**
   * What do you know? One page of the tenants of each pool, most active first.
   *
   * @param offset tenants to skip
   * @param limit tenants in the page; a configured most applies
   */
  public record Snapshot(int offset, int limit, ActorRef<FairnessSnapshot> replyTo)
      implements Command {
    public Snapshot {
      if (offset < 0 || limit < 0) {
        throw new IllegalArgumentException("a count is negative");
      }
    }
  }

  /** Leave this node; the singleton starts on another. */
  record Stop() implements Command {}

  private record Tick() implements Command {}

  private record Claim() implements Command {}

  private record Claimed(long epoch) implements Command {}

  private record ClaimFailed(Throwable reason) implements Command {}

  /** Addresses that are watched without need are let go each so many ticks. */
  private static final int TICKS_PER_SWEEP = 600;

  /** Messages that coordinators of this process have handled; a restart does not reset it. */
  private static final LongAdder HANDLED = new LongAdder();

  private final FairnessSettings settings;
  private final Supplier<CompletionStage<Long>> claimEpoch;
  private final TimerScheduler<Command> timers;
  private final CoordinatorState state;
  private final Set<ActorRef<SlotHolder>> holders = new HashSet<>();
  private final Set<ActorRef<SlotOwner>> workers = new HashSet<>();
  private Duration backoff;
  private long ticks;
  private long messages;

  /**
   * Starts the singleton where this node may have it; gives the proxy that finds it anywhere.
   *
   * @param claimEpoch claims the next epoch, larger than all before, from the journal's fence
   */
  public static ActorRef<Command> init(
      ActorSystem<?> system,
      FairnessSettings settings,
      Supplier<CompletionStage<Long>> claimEpoch) {
    return ClusterSingleton.get(system)
        .init(
            SingletonActor.of(create(settings, claimEpoch), NAME)
                .withStopMessage(new Stop())
                .withSettings(ClusterSingletonSettings.create(system).withRole(ROLE)));
  }

  public static Behavior<Command> create(
      FairnessSettings settings, Supplier<CompletionStage<Long>> claimEpoch) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new FairnessCoordinator(context, timers, settings, claimEpoch)));
  }

  private FairnessCoordinator(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      FairnessSettings settings,
      Supplier<CompletionStage<Long>> claimEpoch) {
    super(context);
    this.settings = settings;
    this.claimEpoch = claimEpoch;
    this.timers = timers;
    this.state = new CoordinatorState(settings);
    this.backoff = settings.claimBackoffMin();
    timers.startTimerWithFixedDelay(new Tick(), settings.tick());
    claim();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::on)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  /**
   * Messages that the coordinators which ran in this process have handled, their own timers left
   * out: what a request costs the one actor that all share.
   */
  public static long messagesHandled() {
    return HANDLED.sum();
  }

  private Behavior<Command> on(Command command) {
    if (!(command instanceof Tick)) {
      messages++;
      HANDLED.increment();
    }
    switch (command) {
      case WorkerTable table -> {
        watchWorker(table.ref());
        for (PoolTable pool : table.pools()) {
          pool.rows().forEach(row -> watchHolder(row.holderRef()));
        }
        send(state.workerTable(table, nowMillis()));
        standDownIfSuperseded();
      }
      case Demand demand -> {
        watchHolder(demand.holder());
        long now = nowMillis();
        send(state.demand(demand, now));
        SlotHolder.Outlook outlook = state.outlook(demand, now);
        if (outlook != null) {
          demand.holder().tell(outlook);
        }
      }
      case Ping ping -> {
        if (state.isActive()) {
          ping.replyTo().tell(new Pong(state.epoch()));
        }
      }
      case Snapshot snapshot ->
          snapshot.replyTo().tell(state.snapshot(snapshot.offset(), snapshot.limit(), messages));
      case Tick _ -> {
        send(state.tick(nowMillis()));
        sweepWatches();
      }
      case Claim _ -> claim();
      case Claimed claimed -> {
        backoff = settings.claimBackoffMin();
        getContext().getLog().info("acting under epoch {}", claimed.epoch());
        send(state.activate(claimed.epoch(), nowMillis()));
      }
      case ClaimFailed failed -> {
        getContext()
            .getLog()
            .warn("no epoch, next attempt in {}: {}", backoff, failed.reason().toString());
        timers.startSingleTimer(new Claim(), backoff);
        Duration doubled = backoff.multipliedBy(2);
        backoff =
            doubled.compareTo(settings.claimBackoffMax()) < 0
                ? doubled
                : settings.claimBackoffMax();
      }
      case Stop _ -> {
        return Behaviors.stopped();
      }
    }
    return this;
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    ActorRef<Void> gone = signal.getRef();
    ActorRef<SlotOwner> worker = gone.unsafeUpcast();
    ActorRef<SlotHolder> holder = gone.unsafeUpcast();
    if (workers.remove(worker)) {
      send(state.workerGone(worker, nowMillis()));
    }
    if (holders.remove(holder)) {
      send(state.holderGone(holder, nowMillis()));
    }
    return this;
  }

  private void claim() {
    CompletionStage<Long> claimed;
    try {
      claimed = claimEpoch.get();
    } catch (RuntimeException failure) {
      getContext().getSelf().tell(new ClaimFailed(failure));
      return;
    }
    getContext()
        .pipeToSelf(
            claimed,
            (epoch, failure) -> failure != null ? new ClaimFailed(failure) : new Claimed(epoch));
  }

  private void standDownIfSuperseded() {
    Claim again = new Claim();
    if (state.isSuperseded() && !timers.isTimerActive(again)) {
      getContext().getLog().warn("a higher epoch than {} acts; standing still", state.epoch());
      timers.startSingleTimer(again, settings.standDown());
    }
  }

  private void watchWorker(ActorRef<SlotOwner> worker) {
    if (workers.add(worker)) {
      getContext().watch(worker);
    }
  }

  private void watchHolder(@Nullable ActorRef<SlotHolder> holder) {
    if (holder != null && holders.add(holder)) {
      getContext().watch(holder);
    }
  }

  /**
   * Tenants come and go by the thousands; those without demand or slots are not watched for ever.
   */
  private void sweepWatches() {
    ticks++;
    if (ticks % TICKS_PER_SWEEP == 0) {
      Set<ActorRef<SlotHolder>> needed = state.holders();
      holders.removeIf(
          holder -> {
            boolean surplus = !needed.contains(holder);
            if (surplus) {
              getContext().unwatch(holder);
            }
            return surplus;
          });
    }
  }

  private static void send(List<PoolState.Send> sends) {
    sends.forEach(send -> send.worker().tell(send.command()));
  }

  /** Monotonic, so that a step of the wall clock expires nothing. */
  private static long nowMillis() {
    return System.nanoTime() / 1_000_000;
  }
}
