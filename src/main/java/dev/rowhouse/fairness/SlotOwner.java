package dev.rowhouse.fairness;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * The owner of slots, a worker, as an address. Not sealed, because the room that computes adds its
 * own commands to the same address; what this room says to it is the sealed {@link SlotCommand}.
 */
public interface SlotOwner {

  /** What a worker is told about its slots. It obeys the highest epoch it has seen. */
  sealed interface SlotCommand extends SlotOwner {}

  /**
   * The coordinator gives a free slot to a tenant. Ignored when the epoch is old, or when the
   * slot's sequence number is not {@code seq} any more.
   *
   * @param hold whether the tenant keeps the slot after its run (no backlog), or has it for one run
   * @param small whether the slot is kept for small requests; such a one is for one run
   */
  record Grant(
      long epoch,
      String pool,
      int slot,
      long seq,
      String tenant,
      ActorRef<SlotHolder> holder,
      boolean hold,
      boolean small)
      implements SlotCommand {}

  /**
   * The slot goes back after the run that uses it; an idle one at once. It is meant for whoever
   * held the slot at {@code seq}, so it counts although that holder has started a request since.
   */
  record Recall(long epoch, String pool, int slot, long seq) implements SlotCommand {}

  /**
   * The holder is gone, or silent for too long: an idle slot is free from now, its old ticket void;
   * a slot that runs is free when the run ends. It also voids a Grant with this number that is
   * late.
   */
  record Reclaim(long epoch, String pool, int slot, long seq) implements SlotCommand {}

  /** The holder has no use for the slot. */
  record Return(SlotTicket ticket) implements SlotCommand {}
}
