package dev.rowhouse.inference;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotEffect;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.StartDecision;
import dev.rowhouse.fairness.WorkerSlots;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/**
 * The owner of one node's slots: it mints tickets, starts a run for each one that comes back valid,
 * and sees that every run's settlement is acknowledged. What is allowed is decided by {@link
 * WorkerSlots}, and which endpoints are well by {@link EndpointHealth}; this actor only carries it
 * out.
 *
 * <p>Each run is a child. A child that stops without having said how it ended has crashed: its
 * request gets a definite answer from here, its slot is free, and no other run notices.
 *
 * <p>A crash of the worker itself stops its runs. Their gateways hear of it from here and settle
 * them; the worker starts again after a pause, as a later incarnation, so no ticket from before is
 * worth anything. What it owes outlives the crash: settlements, the catalog, what it knows of
 * endpoints.
 */
public final class InferenceWorker extends AbstractBehavior<SlotOwner> {

  /** What the worker tells itself. */
  private sealed interface Own extends SlotOwner {}

  private record TableDue() implements Own {}

  private record ChangesDue() implements Own {}

  private record SettlementsDue() implements Own {}

  private record DrainExpired() implements Own {}

  /** The time of an open circuit breaker is over. */
  private record BreakerDue() implements Own {}

  /** What outlives a crash. */
  private static final class Estate {
    final Settlements settlements;
    final EndpointHealth health;
    final LongSupplier monotonicMillis;
    long incarnation;
    long restarts = -1;
    Catalog catalog = Catalog.EMPTY;

    Estate(
        long incarnation,
        Settlements settlements,
        EndpointHealth health,
        LongSupplier monotonicMillis) {
      this.incarnation = incarnation - 1;
      this.settlements = settlements;
      this.health = health;
      this.monotonicMillis = monotonicMillis;
    }
  }

  private record Running(
      SlotTicket ticket, RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunControl> run) {}

  /** All workers of the cluster. */
  public static final ServiceKey<SlotOwner> KEY = ServiceKey.create(SlotOwner.class, "worker");

  /** Pauses between restarts differ by this share, so that nodes do not restart in step. */
  private static final double RESTART_JITTER_SHARE = 0.2;

  private final String worker;
  private final Estate estate;
  private final ActorRef<FairnessCoordinator.Command> coordinator;
  private final RunFactory runs;
  private final SettlementPort settlement;
  private final WorkerSettings settings;
  private final TimerScheduler<SlotOwner> timers;
  private final WorkerSlots slots;
  private final Settlements settlements;
  private final Map<String, Running> running = new HashMap<>();
  private final Map<ActorRef<Void>, String> attempts = new HashMap<>();
  private final Map<StartDecision.Reason, Long> refused = new EnumMap<>(StartDecision.Reason.class);
  private final List<ActorRef<Done>> draining = new ArrayList<>();
  private boolean full;

  /**
   * The worker of a node, which starts again by itself when it fails.
   *
   * @param workerName the node's stable name, unique in the cluster
   * @param incarnation when this worker started, in milliseconds; a later start has a larger one.
   *     Each restart adds one, and restarts are further apart than that, so a process that starts
   *     later has a larger one still
   * @param health what is known of endpoints, for this worker alone
   */
  public static Behavior<SlotOwner> create(
      String workerName,
      long incarnation,
      ActorRef<FairnessCoordinator.Command> coordinator,
      RunFactory runs,
      SettlementPort settlement,
      WorkerSettings settings,
      EndpointHealth health) {
    // Monotonic, so that a step of the wall clock expires nothing.
    return create(
        workerName,
        incarnation,
        coordinator,
        runs,
        settlement,
        settings,
        health,
        () -> System.nanoTime() / 1_000_000);
  }

  static Behavior<SlotOwner> create(
      String workerName,
      long incarnation,
      ActorRef<FairnessCoordinator.Command> coordinator,
      RunFactory runs,
      SettlementPort settlement,
      WorkerSettings settings,
      EndpointHealth health,
      LongSupplier monotonicMillis) {
    return Behaviors.setup(
        _ -> {
          Estate estate =
              new Estate(
                  incarnation,
                  new Settlements(
                      settings.settlementRetryMin().toMillis(),
                      settings.settlementRetryMax().toMillis()),
                  health,
                  monotonicMillis);
          return Behaviors.supervise(
                  Behaviors.<SlotOwner>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new InferenceWorker(
                                      context,
                                      timers,
                                      workerName,
                                      estate,
                                      coordinator,
                                      runs,
                                      settlement,
                                      settings))))
              .onFailure(
                  SupervisorStrategy.restartWithBackoff(
                      settings.restartMin(), settings.restartMax(), RESTART_JITTER_SHARE));
        });
  }

  private InferenceWorker(
      ActorContext<SlotOwner> context,
      TimerScheduler<SlotOwner> timers,
      String worker,
      Estate estate,
      ActorRef<FairnessCoordinator.Command> coordinator,
      RunFactory runs,
      SettlementPort settlement,
      WorkerSettings settings) {
    super(context);
    estate.incarnation++;
    estate.restarts++;
    this.worker = worker;
    this.estate = estate;
    this.coordinator = coordinator;
    this.runs = runs;
    this.settlement = settlement;
    this.settings = settings;
    this.timers = timers;
    this.slots = new WorkerSlots(worker, estate.incarnation);
    this.settlements = estate.settlements;
    timers.startTimerWithFixedDelay(new TableDue(), settings.tableInterval());
    timers.startTimerWithFixedDelay(new SettlementsDue(), settings.settlementRetryMin());
    open();
  }

  @Override
  public Receive<SlotOwner> createReceive() {
    return newReceiveBuilder()
        .onMessage(SlotOwner.SlotCommand.class, command -> perform(slots.on(command)))
        .onMessage(WorkerCommand.class, this::on)
        .onMessage(RunNote.class, this::onNote)
        .onMessage(Own.class, this::onOwn)
        .onSignal(Terminated.class, this::onTerminated)
        .onSignal(PreRestart.class, _ -> onFailure())
        .build();
  }

  private Behavior<SlotOwner> on(WorkerCommand command) {
    return switch (command) {
      case WorkerCommand.Start start -> start(start);
      case WorkerCommand.Settled settled -> {
        settlements.acknowledged(settled.attempt());
        yield afterChange();
      }
      case WorkerCommand.CatalogChanged changed -> catalogChanged(changed.catalog());
      case WorkerCommand.WhatRuns asked -> {
        asked.replyTo().tell(runsOf(asked.tenant()));
        yield this;
      }
      case WorkerCommand.Describe describe -> {
        describe.replyTo().tell(description());
        yield this;
      }
      case WorkerCommand.Drain drain -> drain(drain);
    };
  }

  private WorkerCommand.Runs runsOf(TenantId tenant) {
    return new WorkerCommand.Runs(
        running.values().stream()
            .map(Running::order)
            .filter(order -> order.tenant().equals(tenant))
            .toList());
  }

  private Behavior<SlotOwner> onNote(RunNote note) {
    return switch (note) {
      case RunEnded(String attempt, RunReport report) -> ended(attempt, report);
      case RunProgress progress -> {
        Running run = running.get(progress.attempt());
        if (run != null) {
          slots.progress(
              run.ticket(), progress.attempt(), progress.inputTokens(), progress.outputTokens());
        }
        yield this;
      }
      case CallEnded end -> cap(estate.health.ended(end, nowMillis()));
    };
  }

  private Behavior<SlotOwner> onOwn(Own own) {
    return switch (own) {
      case TableDue _ -> {
        perform(slots.repeatMints());
        sendTable();
        yield this;
      }
      case ChangesDue _ -> {
        sendTable();
        yield this;
      }
      case SettlementsDue _ -> {
        sendSettlements();
        yield this;
      }
      case DrainExpired _ -> {
        getContext()
            .getLog()
            .warn(
                "stopping with {} runs and {} settlements open",
                running.size(),
                settlements.size());
        yield drained();
      }
      case BreakerDue _ -> cap(estate.health.tick(nowMillis()));
    };
  }

  private Behavior<SlotOwner> start(WorkerCommand.Start start) {
    RunOrder order = start.order();
    String attempt = order.attempt();
    Running already = running.get(attempt);
    if (already != null && !already.ticket().equals(start.ticket())) {
      // An attempt runs once. The second ticket is not needed, and the first run answers.
      return perform(slots.on(new SlotOwner.Return(start.ticket())));
    }
    return switch (slots.start(start.ticket(), order.tenant().value(), attempt, nowMillis())) {
      case StartDecision.Accepted _ -> {
        spawn(start);
        yield this;
      }
      case StartDecision.Repeated _ -> this;
      case StartDecision.Refused no -> {
        refused.merge(no.reason(), 1L, Long::sum);
        getContext().getLog().debug("ticket {} refused: {}", start.ticket(), no.reason());
        start.gateway().tell(new RunEvent.TicketRefused(attempt, start.ticket()));
        yield this;
      }
    };
  }

  private void spawn(WorkerCommand.Start start) {
    RunOrder order = withUsableFallbacks(start.order());
    ActorRef<RunNote> self = getContext().getSelf().narrow();
    // The run is made within its own actor, so that a failure to make it is a crash of its own.
    ActorRef<RunControl> run =
        getContext()
            .spawnAnonymous(Behaviors.setup(_ -> runs.create(order, start.gateway(), self)));
    getContext().watch(run);
    running.put(order.attempt(), new Running(start.ticket(), order, start.gateway(), run));
    attempts.put(run.unsafeUpcast(), order.attempt());
    checkFull();
  }

  /**
   * Without the models whose endpoint is broken. One on probation is tried by as many runs as its
   * own pool has slots for that, because nobody may ask for it but in this way.
   */
  private RunOrder withUsableFallbacks(RunOrder order) {
    if (order.fallbacks().isEmpty()) {
      return order;
    }
    List<ModelSpec> usable = new ArrayList<>(order.fallbacks().size());
    for (ModelSpec fallback : order.fallbacks()) {
      int most = estate.health.slotsMax(fallback.name());
      if (most == Integer.MAX_VALUE || (most > 0 && runsThatMayUse(fallback) < most)) {
        usable.add(fallback);
      }
    }
    return order.withFallbacks(usable);
  }

  private long runsThatMayUse(ModelSpec fallback) {
    return running.values().stream()
        .filter(run -> run.order().fallbacks().contains(fallback))
        .count();
  }

  /** This actor has failed and its runs are stopped; their gateways need not find out. */
  private Behavior<SlotOwner> onFailure() {
    running.forEach((attempt, run) -> run.gateway().tell(new RunEvent.WorkerFailed(attempt)));
    return this;
  }

  private Behavior<SlotOwner> onTerminated(Terminated signal) {
    String attempt = attempts.remove(signal.getRef());
    Running run = attempt == null ? null : running.get(attempt);
    if (attempt == null || run == null) {
      return this;
    }
    getContext().getLog().error("the run of {} stopped without an end", attempt);
    RunReport report = Tally.crashed(run.order(), System.currentTimeMillis());
    run.gateway().tell(new RunEvent.Ended(attempt, report, List.of()));
    return ended(attempt, report);
  }

  private Behavior<SlotOwner> ended(String attempt, RunReport report) {
    Running run = running.remove(attempt);
    if (run == null) {
      return this;
    }
    attempts.remove(run.run().unsafeUpcast());
    settlements.add(report, nowMillis());
    sendSettlements();
    perform(
        slots.finish(
            run.ticket(), attempt, report.inputTokens(), report.outputTokens(), nowMillis()));
    return afterChange();
  }

  private Behavior<SlotOwner> catalogChanged(Catalog catalog) {
    if (catalog.version() > estate.catalog.version()) {
      estate.catalog = catalog;
      open();
    }
    return this;
  }

  /** Opens the slots that the catalog gives and health allows. */
  private void open() {
    List<SlotEffect> effects = new ArrayList<>(slots.catalog(estate.catalog));
    effects.addAll(caps(estate.health.catalog(estate.catalog)));
    perform(effects);
  }

  private Behavior<SlotOwner> cap(List<EndpointHealth.Cap> caps) {
    for (EndpointHealth.Cap cap : caps) {
      getContext()
          .getLog()
          .info("the endpoint of {} is {}", cap.pool(), estate.health.state(cap.pool()));
    }
    return perform(caps(caps));
  }

  private List<SlotEffect> caps(List<EndpointHealth.Cap> caps) {
    List<SlotEffect> effects = new ArrayList<>();
    caps.forEach(cap -> effects.addAll(slots.cap(cap.pool(), cap.slotsMax())));
    long due = estate.health.dueMillis();
    if (due == Long.MAX_VALUE) {
      timers.cancel(new BreakerDue());
    } else {
      timers.startSingleTimer(new BreakerDue(), Duration.ofMillis(Math.max(1, due - nowMillis())));
    }
    return effects;
  }

  private Behavior<SlotOwner> drain(WorkerCommand.Drain drain) {
    draining.add(drain.replyTo());
    timers.startSingleTimer(new DrainExpired(), settings.drainTimeout());
    perform(slots.close(true));
    return afterChange();
  }

  private Behavior<SlotOwner> afterChange() {
    checkFull();
    return !draining.isEmpty() && running.isEmpty() && settlements.size() == 0 ? drained() : this;
  }

  private Behavior<SlotOwner> drained() {
    sendTable();
    draining.forEach(replyTo -> replyTo.tell(Done.getInstance()));
    return Behaviors.stopped();
  }

  /** Settlements that nobody takes must not fill the memory: then nothing new is started. */
  private void checkFull() {
    int open = settlements.size() + running.size();
    boolean next = full ? open > settings.settlementsMax() / 2 : open >= settings.settlementsMax();
    if (next != full && draining.isEmpty()) {
      full = next;
      getContext().getLog().warn("{} settlements open; {}", open, full ? "closed" : "open again");
      perform(slots.close(full));
    }
  }

  private Behavior<SlotOwner> perform(List<SlotEffect> effects) {
    boolean changed = false;
    boolean urgent = false;
    for (SlotEffect effect : effects) {
      switch (effect) {
        case SlotEffect.Mint mint ->
            mint.holder()
                .tell(new SlotHolder.Held(mint.ticket(), getContext().getSelf(), mint.small()));
        case SlotEffect.Withdraw withdraw ->
            withdraw.holder().tell(new SlotHolder.Withdrawn(withdraw.ticket()));
        case SlotEffect.Report report -> {
          changed = true;
          urgent |= report.urgent();
        }
      }
    }
    if (urgent) {
      sendTable();
    } else if (changed && !timers.isTimerActive(new ChangesDue())) {
      timers.startSingleTimer(new ChangesDue(), settings.tableDelay());
    }
    return this;
  }

  private void sendTable() {
    timers.cancel(new ChangesDue());
    coordinator.tell(slots.table(getContext().getSelf()));
  }

  private void sendSettlements() {
    ActorRef<WorkerCommand.Settled> self = getContext().getSelf().narrow();
    settlements.due(nowMillis()).forEach(report -> settlement.settle(report, self));
  }

  private WorkerCommand.Description description() {
    Map<String, Long> refusals = new HashMap<>();
    refused.forEach((reason, count) -> refusals.put(reason.name(), count));
    return new WorkerCommand.Description(
        worker,
        estate.incarnation,
        estate.restarts,
        slots.sizes(),
        running.size(),
        settlements.size(),
        refusals,
        estate.health.views(nowMillis()));
  }

  private long nowMillis() {
    return estate.monotonicMillis.getAsLong();
  }
}
