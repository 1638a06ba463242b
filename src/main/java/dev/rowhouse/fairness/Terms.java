package dev.rowhouse.fairness;

import org.jspecify.annotations.Nullable;

/**
 * On what terms a tenant shares a pool.
 *
 * @param weight its part of the pool beside others, greater than 0
 * @param reservationSlots slots that it gets before all counters
 * @param reservationShare the part of the pool, 0 to 1, that it gets before all counters; the
 *     larger of both counts
 * @param limitSlots the most that it may have; absent: no limit
 */
public record Terms(
    double weight, int reservationSlots, double reservationShare, @Nullable Integer limitSlots) {

  public Terms {
    if (!(weight > 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException("weight must be greater than 0: " + weight);
    }
    if (reservationSlots < 0) {
      throw new IllegalArgumentException("reserved slots are negative: " + reservationSlots);
    }
    if (!(reservationShare >= 0) || Double.isInfinite(reservationShare)) {
      throw new IllegalArgumentException("not a share: " + reservationShare);
    }
    if (limitSlots != null && limitSlots < 0) {
      throw new IllegalArgumentException("the limit is negative: " + limitSlots);
    }
  }

  /** A weight, and nothing else. */
  public static Terms of(double weight) {
    return new Terms(weight, 0, 0, null);
  }
}
