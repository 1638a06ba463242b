package dev.rowhouse.fairness;

/** Whether a ticket starts a request. */
public sealed interface StartDecision {

  /** The request runs in the slot from now; the ticket is used up. */
  record Accepted() implements StartDecision {}

  /**
   * The same attempt was already started with the same ticket. To be ignored, even after its run: a
   * refusal would make its owner run it again.
   */
  record Repeated() implements StartDecision {}

  record Refused(Reason reason) implements StartDecision {}

  /** Why a ticket is worthless. */
  enum Reason {
    /** Minted by another worker, or by an earlier start of this one. */
    OTHER_INCARNATION,
    /** No such pool or slot, or not any more. */
    UNKNOWN_SLOT,
    /** Used, withdrawn, or never minted. */
    OTHER_SEQ,
    /** The slot is free or runs something else: nobody has a ticket for it. */
    NOT_HELD,
    /** Minted for another tenant. */
    OTHER_TENANT
  }
}
