package dev.rowhouse.tenant;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whether a reservation fits beside those of the others: in each pool in which it holds, all
 * reservations together are at most {@link Reservation#SHARE_MAX} of the slots. Pure; the {@link
 * CatalogKeeper} asks it, so two requests at once cannot both have the last slots.
 *
 * <p>Capacity is what the catalog says a pool has: slots per worker node times the workers, or
 * slots in total. When it shrinks afterwards, the coordinator scales all reservations down alike.
 */
final class ReservationBook {
  /** Sums of shares such as 0.1 are a little off; this is far below any slot. */
  private static final double ROUNDING = 1e-9;

  private ReservationBook() {}

  /**
   * Why it does not fit, with the sums of the pool where it fits least; null when it fits.
   *
   * @param held who has what, by tenant
   * @param workers worker nodes; a house whose workers are away for a moment counts as one
   */
  static @Nullable String misfit(
      String tenant,
      ReservationClaim asked,
      Map<String, ReservationClaim> held,
      Map<String, ModelSpec> models,
      int workers) {
    String misfit = null;
    double worst = Reservation.SHARE_MAX + ROUNDING;
    for (ModelSpec model : new TreeMap<>(models).values()) {
      if (!asked.holdsIn(model, tenant)) {
        continue;
      }
      int capacity = capacity(model, workers);
      double others = 0;
      for (Map.Entry<String, ReservationClaim> other : held.entrySet()) {
        if (!other.getKey().equals(tenant) && other.getValue().holdsIn(model, other.getKey())) {
          others += other.getValue().partOf(capacity);
        }
      }
      double sum = others + asked.partOf(capacity);
      if (sum > worst) {
        worst = sum;
        misfit = message(model.name(), asked.partOf(capacity), others, capacity);
      }
    }
    return misfit;
  }

  static int capacity(ModelSpec model, int workers) {
    Integer total = model.slotsTotal();
    return total != null ? total : model.slots() * Math.max(1, workers);
  }

  private static String message(String pool, double asked, double others, int capacity) {
    return "does not fit in the pool of the model %s: asked %s, already reserved by others %s, capacity %d slots, at most %s in all"
        .formatted(
            pool,
            amount(asked, capacity),
            amount(others, capacity),
            capacity,
            amount(Reservation.SHARE_MAX, capacity));
  }

  /** {@code 5 slots (50 %)}. */
  private static String amount(double part, int capacity) {
    return rounded(part * capacity) + " slots (" + rounded(part * 100) + " %)";
  }

  private static String rounded(double number) {
    return BigDecimal.valueOf(number)
        .setScale(2, RoundingMode.HALF_UP)
        .stripTrailingZeros()
        .toPlainString();
  }
}
