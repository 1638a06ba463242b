package dev.rowhouse.inference;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a worker sends what a run has spent: the actor of the tenant, wherever it lives now. The
 * worker repeats it until {@link WorkerCommand.Settled} comes back.
 */
@FunctionalInterface
public interface SettlementPort {
  void settle(RunReport report, ActorRef<WorkerCommand.Settled> worker);
}
