package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.OldEpochsAreNotObeyed;
import dev.rowhouse.tenant.ModelSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/** A worker of the simulation: the real slots, and runs that are a cost, a time and an end. */
final class SimulatedWorker extends SimulatedParty {
  final String name;
  ActorRef<SlotOwner> ref;
  private final ModelSpec model;
  private final Map<String, SlotTicket> running = new HashMap<>();
  private final OldEpochsAreNotObeyed oldEpochsAreNotObeyed = new OldEpochsAreNotObeyed();
  private long incarnation = 1;
  private WorkerSlots slots;
  private boolean tableDue;

  SimulatedWorker(FairnessSimulation world, String name, ModelSpec model) {
    super(world);
    this.name = name;
    this.model = model;
    this.ref = world.nextWorkerRef();
    this.slots = world.newSlots(name, incarnation);
  }

  void start() {
    perform(slots.catalog(FairnessSimulation.catalog(model)));
    beat();
  }

  /**
   * The node is killed and comes back later; its runs are gone, and what was sent to it is lost.
   */
  void crash(long downMillis) {
    if (!isUp()) {
      return;
    }
    goDown();
    running.values().forEach(world.oneRunPerSlot::ended);
    running.clear();
    world.spent.workerLost();
    ActorRef<SlotOwner> before = ref;
    world.workerGone(before);
    world.at(
        world.nowMillis() + downMillis,
        () -> {
          goUp();
          incarnation++;
          tableDue = false;
          ref = world.nextWorkerRef();
          slots = world.newSlots(name, incarnation);
          oldEpochsAreNotObeyed.restarted();
          start();
        });
  }

  /** Slots go for a while, as when an upstream fails. */
  void cap(int slotsMax) {
    perform(slots.cap(FairnessSimulation.POOL, slotsMax));
  }

  List<PoolTable.SlotRow> rows() {
    return slots.rows(FairnessSimulation.POOL);
  }

  /** What is sent to the address of an earlier life is lost. */
  void on(ActorRef<SlotOwner> to, SlotOwner.SlotCommand command) {
    if (to.equals(ref)) {
      deliver(
          () -> {
            if (to.equals(ref)) {
              oldEpochsAreNotObeyed.check(this, command, () -> perform(slots.on(command)));
            }
          });
    }
  }

  void start(ActorRef<SlotOwner> to, SlotTicket ticket, SimulatedTenant tenant, Request request) {
    if (to.equals(ref)) {
      deliver(
          () -> {
            if (to.equals(ref)) {
              start(ticket, tenant, request);
            }
          });
    }
  }

  private void start(SlotTicket ticket, SimulatedTenant tenant, Request request) {
    String attempt = request.attempt();
    switch (slots.start(ticket, tenant.name, attempt, world.nowMillis())) {
      case StartDecision.Accepted _ -> {
        world.ticketAcceptedOnce.accepted(ticket);
        world.oneRunPerSlot.began(ticket);
        world.bound.started(tenant, ticket, (double) request.costTokens());
        running.put(attempt, ticket);
        long half = request.runMillis() / 2;
        after(half, () -> slots.progress(ticket, attempt, request.costTokens() / 2, 0));
        after(request.runMillis(), () -> finish(ticket, tenant, request));
      }
      case StartDecision.Repeated _ -> {}
      case StartDecision.Refused _ -> world.network(() -> tenant.refused(attempt, ticket));
    }
  }

  private void finish(SlotTicket ticket, SimulatedTenant tenant, Request request) {
    String attempt = request.attempt();
    long cost = request.costTokens();
    running.remove(attempt);
    world.oneRunPerSlot.ended(ticket);
    world.spent.add(tenant.name, (double) cost);
    List<SlotEffect> effects = slots.finish(ticket, attempt, cost, 0, world.nowMillis());
    world.bound.finished(tenant, ticket, (double) cost);
    perform(effects);
    world.network(() -> tenant.ended(attempt, ticket));
  }

  private void beat() {
    perform(slots.repeatMints());
    sendTable();
    after(1_000, this::beat);
  }

  private void perform(List<SlotEffect> effects) {
    ActorRef<SlotOwner> self = ref;
    for (SlotEffect effect : effects) {
      switch (effect) {
        case SlotEffect.Mint mint -> {
          SlotHolder.Held held = new SlotHolder.Held(mint.ticket(), self, mint.small());
          world.toHolder(mint.holder(), tenant -> tenant.held(held));
        }
        case SlotEffect.Withdraw withdraw ->
            world.toHolder(withdraw.holder(), tenant -> tenant.withdrawn(withdraw.ticket()));
        case SlotEffect.Report report -> {
          if (report.urgent()) {
            sendTable();
          } else if (!tableDue) {
            tableDue = true;
            after(50, this::sendTable);
          }
        }
      }
    }
  }

  private void sendTable() {
    tableDue = false;
    FairnessCoordinator.WorkerTable table = slots.table(ref);
    world.bound.tableMade(table);
    world.toCoordinator(this, table);
  }
}
