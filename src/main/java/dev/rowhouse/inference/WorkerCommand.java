package dev.rowhouse.inference;

import dev.rowhouse.fairness.SlotTicket;
import org.apache.pekko.actor.typed.ActorRef;

/** What a gateway, or the actor of a tenant, asks of a worker, beside the slots themselves. */
public sealed interface WorkerCommand extends dev.rowhouse.fairness.SlotOwner {

  /** Run this request in the slot of the ticket. */
  record Start(SlotTicket ticket, RunOrder order, ActorRef<RunEvent> gateway)
      implements WorkerCommand {}

  /** The settlement of this attempt is durable; the worker stops repeating it. */
  record Settled(String attempt) implements WorkerCommand {}
}
