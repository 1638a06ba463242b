package dev.rowhouse.fairness;

import dev.rowhouse.tenant.ModelSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/** A worker of the simulation: the real slots, and runs that are a number and an end. */
final class SimulatedWorker {
  final String name;
  ActorRef<SlotOwner> ref;
  private final FairnessSimulation world;
  private final ModelSpec model;
  private final Map<String, SlotTicket> running = new HashMap<>();
  private long incarnation = 1;
  private WorkerSlots slots;
  private boolean tableDue;

  SimulatedWorker(FairnessSimulation world, String name, ModelSpec model) {
    this.world = world;
    this.name = name;
    this.model = model;
    this.ref = world.nextWorkerRef();
    this.slots = world.newSlots(name, incarnation);
  }

  void start() {
    perform(slots.catalog(FairnessSimulation.catalog(model)));
    beat(incarnation);
  }

  /** The node is killed and comes back; its runs are gone, and messages to the old one are lost. */
  void restart() {
    running.values().forEach(world.oneRunPerSlot::ended);
    running.clear();
    incarnation++;
    ref = world.nextWorkerRef();
    slots = world.newSlots(name, incarnation);
    start();
  }

  List<PoolTable.SlotRow> rows() {
    return slots.table(ref, world.nowMillis()).pools().getFirst().rows();
  }

  void on(SlotOwner.SlotCommand command) {
    perform(slots.on(command));
  }

  void start(SlotTicket ticket, SimulatedTenant tenant, String attempt, long costTokens) {
    StartDecision decision = slots.start(ticket, tenant.name, attempt, world.nowMillis());
    switch (decision) {
      case StartDecision.Accepted _ -> {
        world.ticketAcceptedOnce.accepted(ticket);
        world.oneRunPerSlot.began(ticket);
        running.put(attempt, ticket);
        long began = incarnation;
        world.after(
            5 + costTokens,
            () -> {
              if (began == incarnation) {
                finish(ticket, tenant, attempt, costTokens);
              }
            });
      }
      case StartDecision.Repeated _ -> {}
      case StartDecision.Refused _ -> world.network(() -> tenant.refused(attempt, ticket));
    }
  }

  private void finish(SlotTicket ticket, SimulatedTenant tenant, String attempt, long costTokens) {
    running.remove(attempt);
    world.oneRunPerSlot.ended(ticket);
    perform(slots.finish(ticket, tenant.name, attempt, costTokens, 0, world.nowMillis()));
    world.network(() -> tenant.ended(attempt, ticket));
  }

  private void beat(long began) {
    if (began == incarnation) {
      perform(slots.repeatMints());
      sendTable();
      world.after(1_000, () -> beat(began));
    }
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
            world.after(50, this::sendTable);
          }
        }
      }
    }
  }

  private void sendTable() {
    tableDue = false;
    world.toCoordinator(slots.table(ref, world.nowMillis()));
  }
}
