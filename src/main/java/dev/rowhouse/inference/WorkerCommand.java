package dev.rowhouse.inference;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.tenant.Catalog;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/** What is asked of a worker, beside the slots themselves. */
public sealed interface WorkerCommand extends SlotOwner {

  /** Run this request in the slot of the ticket. */
  record Start(SlotTicket ticket, RunOrder order, ActorRef<RunEvent> gateway)
      implements WorkerCommand {}

  /** The settlement of this attempt is durable; the worker stops repeating it. */
  record Settled(String attempt) implements WorkerCommand {}

  /**
   * The models of the house changed: pools open, grow, shrink and close, without disturbing runs.
   */
  record CatalogChanged(Catalog catalog) implements WorkerCommand {}

  /**
   * Take nothing new, let runs end (within a configured time), get their settlements acknowledged,
   * then stop. The reply comes before the stop.
   */
  record Drain(ActorRef<Done> replyTo) implements WorkerCommand {}

  /** How is it going? */
  record Describe(ActorRef<Description> replyTo) implements WorkerCommand {}

  /**
   * The figures of a worker.
   *
   * @param slots slots by pool
   * @param running runs now
   * @param settlementsPending ended runs whose settlement nobody has acknowledged yet
   * @param ticketsRefused refusals since start, by reason
   */
  record Description(
      String worker,
      long incarnation,
      Map<String, Integer> slots,
      int running,
      int settlementsPending,
      Map<String, Long> ticketsRefused) {

    public Description {
      slots = Map.copyOf(slots);
      ticketsRefused = Map.copyOf(ticketsRefused);
    }
  }
}
