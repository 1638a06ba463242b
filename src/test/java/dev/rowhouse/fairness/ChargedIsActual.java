package dev.rowhouse.fairness;

import dev.rowhouse.fairness.SimulationInvariants.Broken;
import java.util.HashMap;
import java.util.Map;

/**
 * At rest the coordinator has counted exactly what workers spent: for each tenant, counter less
 * lifts, times weight, and what is kept apart for reservations. It is exact as long as one
 * coordinator kept its pool and no worker took unreported costs with it; else nothing is counted
 * twice.
 */
final class ChargedIsActual {
  /** Rounding, relative to sums of thousands of costs and of their quotients by the weight. */
  private static final double EPSILON = 1e-6;

  private final SpentCosts spent;
  private final Map<String, Double> lifts = new HashMap<>();
  private int queuesOpened;

  ChargedIsActual(SpentCosts spent) {
    this.spent = spent;
  }

  /** A queue that begins anew knows nothing of what was before. */
  void opened() {
    queuesOpened++;
    lifts.clear();
  }

  void lifted(String tenant, double by) {
    lifts.merge(tenant, by, Double::sum);
  }

  /**
   * Compares.
   *
   * @param isOnly whether there never was another coordinator
   */
  void check(CoordinatorState state, boolean isOnly) {
    for (PoolState pool : state.pools()) {
      for (Account account : pool.queue().accounts()) {
        if (account.weight <= 0) {
          continue;
        }
        double lifted = lifts.getOrDefault(account.tenant, 0.0);
        double charged =
            (account.settledCounter() - lifted) * account.weight
                + account.apart
                + account.unweighted;
        double actual = spent.of(account.tenant);
        boolean exact = isOnly && queuesOpened == 1 && !spent.isIncomplete();
        double allowed = EPSILON * Math.max(1, Math.max(actual, lifted * account.weight));
        if (charged > actual + allowed || (exact && charged < actual - allowed)) {
          throw new Broken(getClass(), account.tenant + " " + charged + " of " + actual);
        }
      }
    }
  }
}
