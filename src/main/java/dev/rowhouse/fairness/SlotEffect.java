package dev.rowhouse.fairness;

import org.apache.pekko.actor.typed.ActorRef;

/** What a worker's slots ask the worker's actor to do. */
public sealed interface SlotEffect {

  /** Tell the holder that this ticket is its own; a small one is for a small request only. */
  record Mint(SlotTicket ticket, ActorRef<SlotHolder> holder, boolean small)
      implements SlotEffect {}

  /** Tell the holder that this ticket is void. */
  record Withdraw(SlotTicket ticket, ActorRef<SlotHolder> holder) implements SlotEffect {}

  /**
   * The coordinator should see the table.
   *
   * @param urgent a slot is free, or the coordinator acts on an old view: at once
   */
  record Report(boolean urgent) implements SlotEffect {}
}
