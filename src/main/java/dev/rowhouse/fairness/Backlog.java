package dev.rowhouse.fairness;

/**
 * What waits at a tenant for slots of one pool.
 *
 * @param pending requests that wait and have no ticket
 * @param headEstimateCost weighted tokens that the next of them is expected to cost
 * @param smallPending how many of them are small enough for the slots that are kept for such
 * @param smallEstimateCost weighted tokens that the next of those is expected to cost
 * @param oldestWaitMillis for how long the one that came first has waited
 * @param meanWaitMillis moving mean of the waits of those that were served before
 */
public record Backlog(
    int pending,
    double headEstimateCost,
    int smallPending,
    double smallEstimateCost,
    long oldestWaitMillis,
    long meanWaitMillis) {

  public Backlog {
    if (pending < 0 || smallPending < 0 || smallPending > pending) {
      throw new IllegalArgumentException("not counts: " + pending + ", small " + smallPending);
    }
    if (!isCost(headEstimateCost) || !isCost(smallEstimateCost)) {
      throw new IllegalArgumentException(
          "not costs: " + headEstimateCost + ", small " + smallEstimateCost);
    }
  }

  /** So many requests that wait, none of them small. */
  public static Backlog of(int pending, double headEstimateCost) {
    return new Backlog(pending, headEstimateCost, 0, 0, 0, 0);
  }

  private static boolean isCost(double cost) {
    return cost >= 0 && !Double.isInfinite(cost);
  }
}
