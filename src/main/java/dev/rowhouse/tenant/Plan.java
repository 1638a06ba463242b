package dev.rowhouse.tenant;

/**
 * A named bundle of limits and a weight that many tenants share.
 *
 * @param weight the share of capacity relative to other tenants under contention, greater than zero
 * @param queueTimeoutMillis how long a request may wait for a capacity slot
 */
public record Plan(String name, double weight, Limits limits, long queueTimeoutMillis) {
  public Plan {
    if (!(weight > 0)) {
      throw new IllegalArgumentException("weight must be greater than 0");
    }
  }
}
