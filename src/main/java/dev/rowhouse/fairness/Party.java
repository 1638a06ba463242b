package dev.rowhouse.fairness;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * A tenant's last demand in one pool, as far as the {@link FairQueue} does not keep it. There is
 * one for each active tenant, so it holds the demand's numbers and not the demand.
 */
final class Party {
  final String tenant;
  private ActorRef<SlotHolder> holder;
  private long incarnation;
  private long version;
  private int held;
  private int smallPending;
  private long oldestWaitMillis;
  private long meanWaitMillis;

  /** When the demand came. */
  long atMillis;

  /** Requests that wait by the demand; 0 when it is not repeated any more. */
  int pending;

  /** Slots for small requests that were granted since. */
  int smallGranted;

  /** When it was last told what it may expect. */
  long outlookMillis = Long.MIN_VALUE / 2;

  Party(FairnessCoordinator.Demand demand, long nowMillis) {
    this.tenant = demand.tenant();
    this.holder = demand.holder();
    follow(demand, nowMillis);
  }

  boolean isOlderThan(FairnessCoordinator.Demand demand) {
    return demand.incarnation() != incarnation
        ? demand.incarnation() > incarnation
        : demand.version() > version;
  }

  void follow(FairnessCoordinator.Demand demand, long nowMillis) {
    if (!isOf(demand.holder())) {
      // An equal address is another object each time it comes from another node: the first is kept.
      holder = demand.holder();
    }
    incarnation = demand.incarnation();
    version = demand.version();
    held = demand.held();
    pending = demand.backlog().pending();
    smallPending = demand.backlog().smallPending();
    smallGranted = 0;
    oldestWaitMillis = demand.backlog().oldestWaitMillis();
    meanWaitMillis = demand.backlog().meanWaitMillis();
    atMillis = nowMillis;
  }

  ActorRef<SlotHolder> holder() {
    return holder;
  }

  boolean isOf(ActorRef<SlotHolder> address) {
    return holder.equals(address);
  }

  /**
   * Requests that wait beyond the slots that are on their way: slots of the tenant's present actor
   * that it did not know of when it sent its demand.
   */
  int waiting(int heldNow) {
    return Math.max(0, pending - Math.max(0, heldNow - held));
  }

  /** How many of those that wait are small. */
  int waitingSmall(int waiting) {
    return Math.max(0, Math.min(smallPending - smallGranted, waiting));
  }

  long oldestWaitMillis() {
    return pending == 0 ? 0 : oldestWaitMillis;
  }

  long meanWaitMillis() {
    return meanWaitMillis;
  }
}
