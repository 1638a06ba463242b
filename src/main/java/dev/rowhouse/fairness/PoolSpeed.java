package dev.rowhouse.fairness;

/**
 * How much one busy slot of a pool does in a second, by the runs that ended lately.
 *
 * <p>Cost and time of a run are counted together when it ends, so that runs which are still under
 * way bias nothing. Older runs count less, by half every {@value #HALF_LIFE_MILLIS} ms.
 */
final class PoolSpeed {
  /** Long enough to average over runs, short enough to follow an upstream that became slow. */
  static final long HALF_LIFE_MILLIS = 30_000;

  /** Before so much slot time was seen the speed is not known. */
  static final double KNOWN_FROM_SLOT_MILLIS = 1_000;

  private double cost;
  private double slotMillis;
  private long atMillis;

  void ran(double spentCost, long busyMillis, long nowMillis) {
    double fade = Math.pow(0.5, (double) Math.max(0, nowMillis - atMillis) / HALF_LIFE_MILLIS);
    cost = cost * fade + spentCost;
    slotMillis = slotMillis * fade + busyMillis;
    atMillis = nowMillis;
  }

  /** Weighted tokens per slot and second; 0 when not known. */
  double costPerSlotSecond() {
    return slotMillis < KNOWN_FROM_SLOT_MILLIS ? 0 : 1_000 * cost / slotMillis;
  }
}
