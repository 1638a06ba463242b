package dev.rowhouse.fairness;

import org.apache.pekko.actor.typed.ActorRef;

/** What a worker tells the tenant that holds one of its slots. */
public sealed interface SlotHolder {

  /**
   * The slot is yours: start one request with this ticket, or give it back with Return. It comes
   * again from time to time while the ticket is unused; {@link SlotUser} sees through repeats.
   *
   * @param small whether the slot is kept for small requests: another may not use it
   */
  record Held(SlotTicket ticket, ActorRef<SlotOwner> worker, boolean small) implements SlotHolder {}

  /** Others wait: unless a request was already sent with this ticket, it is worthless from now. */
  record Withdrawn(SlotTicket ticket) implements SlotHolder {}

  /**
   * What a tenant that waits may expect of a pool. The one thing that the coordinator tells a
   * tenant: it is advice, and no ticket depends on it.
   *
   * @param slots slots of the pool's live workers; 0: nobody serves this pool now
   * @param costPerSecond weighted tokens a second that the tenant is entitled to now; 0: not known
   *     yet
   */
  record Outlook(String pool, int slots, double costPerSecond) implements SlotHolder {}
}
