package dev.rowhouse.inference;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotEffect;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.StartDecision;
import dev.rowhouse.fairness.WorkerSlots;
import dev.rowhouse.tenant.Catalog;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The owner of one node's slots: it mints tickets, starts a run for each one that comes back valid,
 * and sees that every run's settlement is acknowledged. What is allowed is decided by {@link
 * WorkerSlots}; this actor only carries it out.
 *
 * <p>Each run is a child. A child that stops without having said how it ended has crashed: its
 * request gets a definite answer from here, its slot is free, and no other run notices.
 */
public final class InferenceWorker extends AbstractBehavior<SlotOwner> {

  /** What the worker tells itself. */
  private sealed interface Own extends SlotOwner {}

  private record TableDue() implements Own {}

  private record ChangesDue() implements Own {}

  private record SettlementsDue() implements Own {}

  private record DrainExpired() implements Own {}

  private record Running(
      SlotTicket ticket, RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunControl> run) {}

  private static final String CRASHED = "The worker that ran this request failed.";

  private final String worker;
  private final long incarnation;
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
  private long catalogVersion = Catalog.EMPTY.version();
  private boolean full;

  /**
   * The worker of a node.
   *
   * @param workerName the node's stable name, unique in the cluster
   * @param incarnation when this worker started, in milliseconds; a later start has a larger one
   */
  public static Behavior<SlotOwner> create(
      String workerName,
      long incarnation,
      ActorRef<FairnessCoordinator.Command> coordinator,
      RunFactory runs,
      SettlementPort settlement,
      WorkerSettings settings) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new InferenceWorker(
                        context,
                        timers,
                        workerName,
                        incarnation,
                        coordinator,
                        runs,
                        settlement,
                        settings)));
  }

  private InferenceWorker(
      ActorContext<SlotOwner> context,
      TimerScheduler<SlotOwner> timers,
      String worker,
      long incarnation,
      ActorRef<FairnessCoordinator.Command> coordinator,
      RunFactory runs,
      SettlementPort settlement,
      WorkerSettings settings) {
    super(context);
    this.worker = worker;
    this.incarnation = incarnation;
    this.coordinator = coordinator;
    this.runs = runs;
    this.settlement = settlement;
    this.settings = settings;
    this.timers = timers;
    this.slots = new WorkerSlots(worker, incarnation);
    this.settlements =
        new Settlements(
            settings.settlementRetryMin().toMillis(), settings.settlementRetryMax().toMillis());
    timers.startTimerWithFixedDelay(new TableDue(), settings.tableInterval());
    timers.startTimerWithFixedDelay(new SettlementsDue(), settings.settlementRetryMin());
  }

  @Override
  public Receive<SlotOwner> createReceive() {
    return newReceiveBuilder()
        .onMessage(SlotOwner.SlotCommand.class, command -> perform(slots.on(command)))
        .onMessage(WorkerCommand.class, this::on)
        .onMessage(RunEnded.class, ended -> ended(ended.attempt(), ended.report()))
        .onMessage(Own.class, this::onOwn)
        .onSignal(Terminated.class, this::onTerminated)
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
      case WorkerCommand.Describe describe -> {
        describe.replyTo().tell(description());
        yield this;
      }
      case WorkerCommand.Drain drain -> drain(drain);
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
        start.gateway().tell(new RunEvent.TicketRefused(attempt));
        yield this;
      }
    };
  }

  private void spawn(WorkerCommand.Start start) {
    RunOrder order = start.order();
    ActorRef<RunEnded> self = getContext().getSelf().narrow();
    // The run is made within its own actor, so that a failure to make it is a crash of its own.
    ActorRef<RunControl> run =
        getContext()
            .spawnAnonymous(Behaviors.setup(_ -> runs.create(order, start.gateway(), self)));
    getContext().watch(run);
    running.put(order.attempt(), new Running(start.ticket(), order, start.gateway(), run));
    attempts.put(run.unsafeUpcast(), order.attempt());
    checkFull();
  }

  private Behavior<SlotOwner> onTerminated(Terminated signal) {
    String attempt = attempts.remove(signal.getRef());
    Running run = attempt == null ? null : running.get(attempt);
    if (attempt == null || run == null) {
      return this;
    }
    getContext().getLog().error("the run of {} stopped without an end", attempt);
    RunReport report = crashReport(run.order());
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

  /** The engine may have read the prompt, so its tokens count; what it wrote nobody knows. */
  private static RunReport crashReport(RunOrder order) {
    long latencyMillis =
        Math.max(0, Instant.now().toEpochMilli() - order.admittedAt().toEpochMilli());
    return new RunReport(
        order,
        RunReport.Outcome.FAILED,
        order.inputTokens(),
        0,
        true,
        order.model().name(),
        "upstream_error",
        CRASHED,
        null,
        502,
        -1,
        latencyMillis);
  }

  private Behavior<SlotOwner> catalogChanged(Catalog catalog) {
    if (catalog.version() <= catalogVersion) {
      return this;
    }
    catalogVersion = catalog.version();
    return perform(slots.catalog(catalog));
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
        worker, incarnation, slots.sizes(), running.size(), settlements.size(), refusals);
  }

  /** Monotonic, so that a step of the wall clock expires nothing. */
  private static long nowMillis() {
    return System.nanoTime() / 1_000_000;
  }
}
