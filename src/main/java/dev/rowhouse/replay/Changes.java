package dev.rowhouse.replay;

import dev.rowhouse.tenant.Reservation;
import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What would be different in a what-if. What it does not name is as it was.
 *
 * @param weights of tenants
 * @param slots of pools, in all
 * @param estimator what an answer is taken to cost when it gets its slot; absent: as it was
 * @param added tenants that were not there
 * @param seed of the copies' arrivals
 */
public record Changes(
    Map<TenantId, Double> weights,
    Map<TenantId, Reservation> reservations,
    Map<String, Integer> slots,
    @Nullable Estimate estimator,
    List<Added> added,
    long seed) {
  public static final Changes NONE = new Changes(Map.of(), Map.of(), Map.of(), null, List.of(), 1);

  public Changes {
    weights = Map.copyOf(weights);
    reservations = Map.copyOf(reservations);
    slots = Map.copyOf(slots);
    added = List.copyOf(added);
  }

  /**
   * A tenant with the requests of another, each so many times, at times near the original's.
   *
   * @param times 2.5: two copies of each request, and a third of every other
   * @param weight absent: that of the original
   */
  public record Added(TenantId tenant, TenantId like, double times, @Nullable Double weight) {}

  /** How an answer's length is guessed before it is known. */
  public enum Estimate {
    /** Nothing: an answer is charged while it comes. */
    ZERO,
    /** The moving mean of the tenant's answers of that model, as serving has it. */
    MOVING_MEAN,
    /** What it will have: no real system knows it, so it shows the most that guessing can gain. */
    EXACT
  }
}
