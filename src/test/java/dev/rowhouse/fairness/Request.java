package dev.rowhouse.fairness;

/**
 * One request of the simulation.
 *
 * @param estimate what it is expected to cost
 * @param costTokens what it costs
 * @param runMillis for how long it runs
 * @param small whether it may have a slot that is kept for small ones
 */
record Request(
    String attempt,
    double estimate,
    long costTokens,
    long runMillis,
    boolean small,
    long sinceMillis) {

  Request again(String newAttempt) {
    return new Request(newAttempt, estimate, costTokens, runMillis, small, sinceMillis);
  }
}
