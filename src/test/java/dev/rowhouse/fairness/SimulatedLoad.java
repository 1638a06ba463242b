package dev.rowhouse.fairness;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * What a tenant of the simulation asks for, and on what terms.
 *
 * @param estimate what each request is expected to cost
 * @param costMin the least that a request costs
 * @param costMax the most
 * @param smallShare how many of 10 requests are small
 */
record SimulatedLoad(
    Terms terms, List<Burst> bursts, double estimate, int costMin, int costMax, int smallShare) {

  /** So many requests at once. */
  record Burst(long atMillis, int requests) {}

  /** Bursts while there is chaos, and a few after it. */
  static SimulatedLoad anyLoad(Random random) {
    List<Burst> bursts = new ArrayList<>();
    int count = 1 + random.nextInt(5);
    for (int burst = 0; burst < count; burst++) {
      bursts.add(
          new Burst(random.nextInt((int) FairnessSimulation.CHAOS_MILLIS), 1 + random.nextInt(8)));
    }
    if (random.nextBoolean()) {
      bursts.add(
          new Burst(
              FairnessSimulation.CALM_MILLIS + random.nextInt(2_000), 1 + random.nextInt(12)));
    }
    double share = random.nextInt(8) == 0 ? 0.1 + random.nextInt(5) * 0.1 : 0;
    Terms terms =
        new Terms(
            1 + random.nextInt(4),
            random.nextInt(4) == 0 ? 1 : 0,
            share,
            random.nextInt(4) == 0 ? 1 + random.nextInt(2) : null);
    return new SimulatedLoad(terms, bursts, 100, 1, 200, random.nextInt(3) == 0 ? 3 : 0);
  }

  /**
   * More than it will ever get: tiny requests that are taken for large, huge ones that are taken
   * for small or for nothing, ones that all cost the same, or any.
   */
  static SimulatedLoad contender(Random random, long fromMillis, int requests) {
    double estimate = new double[] {200, 0, 100, 1, 200}[random.nextInt(5)];
    int costMax = new int[] {2, 200, 200, 400}[random.nextInt(4)];
    int costMin = random.nextBoolean() ? 1 : costMax;
    Terms terms = Terms.of(1 + random.nextInt(4));
    List<Burst> bursts = List.of(new Burst(fromMillis, requests));
    return new SimulatedLoad(terms, bursts, estimate, costMin, costMax, 0);
  }

  @Nullable Integer limit() {
    return terms.limitSlots();
  }

  boolean hasReservation() {
    return terms.reservationSlots() > 0 || terms.reservationShare() > 0;
  }

  Request next(String attempt, Random random, long nowMillis) {
    boolean small = random.nextInt(10) < smallShare;
    long cost =
        small ? 1L + random.nextInt(40) : (long) costMin + random.nextInt(costMax - costMin + 1);
    return new Request(attempt, small ? 20 : estimate, cost, 5 + cost, small, nowMillis);
  }
}
