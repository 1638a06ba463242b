package dev.rowhouse.fairness;

import org.apache.pekko.actor.typed.ActorRef;

/** What a worker tells the tenant that holds one of its slots. */
public sealed interface SlotHolder {

  /**
   * The slot is yours: start one request with this ticket, or give it back with Return. It comes
   * again from time to time while the ticket is unused; {@link SlotUser} sees through repeats.
   */
  record Held(SlotTicket ticket, ActorRef<SlotOwner> worker) implements SlotHolder {}

  /** Others wait: unless a request was already sent with this ticket, it is worthless from now. */
  record Withdrawn(SlotTicket ticket) implements SlotHolder {}
}
