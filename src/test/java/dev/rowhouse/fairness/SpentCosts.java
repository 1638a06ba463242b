package dev.rowhouse.fairness;

import java.util.HashMap;
import java.util.Map;

/** What runs have really cost, by tenant, whatever anybody was told of it. */
final class SpentCosts {
  private final Map<String, Double> spent = new HashMap<>();
  private boolean incomplete;

  void add(String tenant, double cost) {
    spent.merge(tenant, cost, Double::sum);
  }

  double of(String tenant) {
    return spent.getOrDefault(tenant, 0.0);
  }

  /** A worker took costs with it that no coordinator has heard of, maybe. */
  void workerLost() {
    incomplete = true;
  }

  boolean isIncomplete() {
    return incomplete;
  }
}
