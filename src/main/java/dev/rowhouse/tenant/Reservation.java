package dev.rowhouse.tenant;

/**
 * Capacity that is a tenant's even under contention: so many slots of each pool that it uses, or a
 * part of each. One of the two is 0; both are when nothing is reserved.
 *
 * @param slots slots in each pool
 * @param share the part of each pool's slots, 0 to {@link #SHARE_MAX}
 */
public record Reservation(int slots, double share) {
  /**
   * So much of a pool can be reserved by all tenants together: the rest goes by weights, so that
   * nobody without a reservation starves.
   */
  public static final double SHARE_MAX = 0.8;

  public static final Reservation NONE = new Reservation(0, 0);

  public Reservation {
    if (slots < 0 || !(share >= 0 && share <= SHARE_MAX) || (slots > 0 && share > 0)) {
      throw new IllegalArgumentException("not a reservation: " + slots + " slots, " + share);
    }
  }

  /** The part of a pool of that many slots; over 1 when the pool has fewer than are reserved. */
  double partOf(int capacitySlots) {
    return slots > 0 ? slots / (double) Math.max(1, capacitySlots) : share;
  }
}
