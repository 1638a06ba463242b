package dev.rowhouse.fairness;

import org.jspecify.annotations.Nullable;

/** One tenant in one pool's {@link FairQueue}. Read by others, changed only there. */
final class Account {
  final String tenant;

  /** 0 until the tenant's terms are known: a new coordinator learns of holders from workers. */
  double weight;

  int reservationSlots;
  double reservationShare;

  /** Slots that it gets before all counters; a share is not a whole number of them. */
  double reservation;

  @Nullable Integer limit;
  long waiting;
  double estimate;

  /** How many of the waiting requests are small, and what the first of them may cost. */
  long waitingSmall;

  double estimateSmall;
  int held;
  double counter;

  /** The part of the counter that is estimates of runs that are not over. */
  double unsettled;

  /** To what it was lifted last, its credit left out. */
  double liftedTo;

  /** Cost served under the reservation. */
  double apart;

  /** Cost that waits for a weight to be divided by. */
  double unweighted;

  long turn;

  Account(String tenant) {
    this.tenant = tenant;
  }

  /** How many more slots it wants and may have. */
  long wants() {
    long room = limit == null ? Long.MAX_VALUE : Math.max(0, limit - held);
    return weight > 0 ? Math.min(waiting, room) : 0;
  }

  boolean wantsSmall() {
    return waitingSmall > 0 && wants() > 0;
  }

  boolean isIdle() {
    return waiting == 0 && held == 0;
  }

  double settledCounter() {
    return counter - unsettled;
  }

  /** The counter as it would be without credit; others are lifted to this. */
  double level() {
    return Math.max(counter, liftedTo);
  }

  double settledLevel() {
    return Math.max(settledCounter(), liftedTo);
  }
}
