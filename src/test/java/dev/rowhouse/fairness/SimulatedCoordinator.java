package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.CountersNeverRegress;
import dev.rowhouse.fairness.SimulationInvariants.WhoReturnsIsLifted;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/** A coordinator of the simulation: the real state, and what must hold of it after each step. */
final class SimulatedCoordinator extends SimulatedParty {
  final CoordinatorState state;
  final ChargedIsActual chargedIsActual;

  /** Actors whose end was heard of: nothing from them arrives after that. */
  private final Set<ActorRef<?>> gone = new HashSet<>();

  private final CountersNeverRegress countersNeverRegress = new CountersNeverRegress();
  private final WhoReturnsIsLifted whoReturnsIsLifted = new WhoReturnsIsLifted();

  SimulatedCoordinator(FairnessSimulation world, Mutation mutation) {
    super(world);
    this.chargedIsActual = new ChargedIsActual(world.spent);
    this.state =
        new CoordinatorState(FairnessSimulation.SETTINGS, mutation.queues(chargedIsActual));
  }

  void start(long epoch, long claimMillis) {
    after(claimMillis, () -> perform(state.activate(epoch, world.nowMillis())));
    tick();
  }

  private void tick() {
    perform(state.tick(world.nowMillis()));
    after(FairnessSimulation.SETTINGS.tick().toMillis(), this::tick);
  }

  void on(FairnessCoordinator.Command command) {
    ActorRef<?> from =
        switch (command) {
          case FairnessCoordinator.WorkerTable table -> table.ref();
          case FairnessCoordinator.Demand demand -> demand.holder();
          default -> throw new IllegalArgumentException(command.toString());
        };
    if (gone.contains(from)) {
      return;
    }
    switch (command) {
      case FairnessCoordinator.WorkerTable table -> {
        world.bound.tableSeen(table);
        perform(state.workerTable(table, world.nowMillis()));
        table.pools().forEach(world::watchHolders);
      }
      case FairnessCoordinator.Demand demand -> {
        perform(state.demand(demand, world.nowMillis()));
        SlotHolder.Outlook outlook = state.outlook(demand, world.nowMillis());
        if (outlook != null && (outlook.slots() < 0 || outlook.costPerSecond() < 0)) {
          throw new SimulationInvariants.Broken(SlotHolder.Outlook.class, outlook.toString());
        }
      }
      default -> throw new IllegalArgumentException(command.toString());
    }
  }

  void holderGone(ActorRef<SlotHolder> holder) {
    deliver(
        () -> {
          gone.add(holder);
          perform(state.holderGone(holder, world.nowMillis()));
        });
  }

  void workerGone(ActorRef<SlotOwner> worker) {
    deliver(
        () -> {
          gone.add(worker);
          perform(state.workerGone(worker, world.nowMillis()));
        });
  }

  private void perform(List<PoolState.Send> sends) {
    for (PoolState.Send send : sends) {
      world.toWorker(this, send);
    }
    countersNeverRegress.check(state);
    world.estimatesAreOwedBySlots.check(state);
    if (state.isActive()) {
      whoReturnsIsLifted.check(state);
      world.noFreeSlotBesideDemand.check(state);
      world.bound.observe(state, sends);
    }
  }
}
