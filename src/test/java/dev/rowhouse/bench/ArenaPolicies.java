package dev.rowhouse.bench;

import dev.rowhouse.bench.arena.Admission;
import dev.rowhouse.bench.arena.FirstCome;
import dev.rowhouse.bench.arena.LightFirst;
import dev.rowhouse.bench.arena.OutputEstimate;
import dev.rowhouse.bench.arena.TokenCounters;
import dev.rowhouse.fairness.FairQueueAdmission;
import dev.rowhouse.fairness.SlotsAdmission;
import dev.rowhouse.serving.ServingEstimate;
import dev.rowhouse.tenant.Estimator;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the arena trace is served with. */
final class ArenaPolicies {
  /** Coordinators see progress in the workers' tables, each second. */
  private static final double TABLE_SECONDS = 1;

  /** The longest answer of the trace's engine, declared by every request. */
  private static final long MAX_TOKENS = 1_024;

  /** About three requests of the trace. */
  static final double CREDIT_COST = 2_000;

  /** What the artifact measured on its machine (fair_bench, results of the real trace). */
  record Published(
      double maxDifference,
      double meanDifference,
      double tokensPerSecond,
      double lightMeanSeconds,
      double lightP99Seconds) {}

  /**
   * One way to serve the trace.
   *
   * @param plotted its place among the colours of the plots; 0: it is not plotted
   */
  record Policy(
      String name, int plotted, Supplier<Admission> admission, @Nullable Published published) {}

  private ArenaPolicies() {}

  /** The rows of the table. */
  static List<Policy> compared() {
    List<Policy> policies = new ArrayList<>();
    policies.add(
        new Policy(
            "first come first served",
            1,
            FirstCome::unlimited,
            new Published(760, 434, 777, 54.7, 137.4)));
    policies.add(
        new Policy(
            "20 requests a minute",
            2,
            () -> FirstCome.perMinute(20),
            new Published(447, 196, 694, 4.2, 18.4)));
    policies.add(
        new Policy(
            "least counter first, no lift",
            3,
            TokenCounters::leastCounterFirst,
            new Published(750, 324, 778, 2.2, 13.0)));
    policies.add(new Policy("VTC", 4, TokenCounters::vtc, new Published(368, 252, 779, 3.4, 20.9)));
    policies.add(
        new Policy(
            "VTC, oracle lengths",
            5,
            TokenCounters::vtcOracle,
            new Published(329, 228, 781, 4.7, 21.9)));
    for (double credit : new double[] {0, CREDIT_COST}) {
      String suffix = credit == 0 ? "" : ", credit";
      policies.add(ours("ours: zero" + suffix, 0, () -> estimate(Estimator.ZERO), credit));
      policies.add(
          ours(
              "ours: moving mean" + suffix,
              credit == 0 ? 6 : 7,
              () -> estimate(Estimator.MOVING_MEAN),
              credit));
      policies.add(
          ours("ours: max_tokens" + suffix, 0, () -> estimate(Estimator.MAX_TOKENS), credit));
      policies.add(ours("ours: oracle" + suffix, 0, OutputEstimate::oracle, credit));
    }
    policies.add(slots(24, 0, 0));
    policies.add(slots(28, 8, 0));
    policies.add(slots(32, 0, 0));
    policies.add(slots(28, 0, CREDIT_COST));
    return policies;
  }

  /** What light clients wait when nothing but room holds them up. */
  static List<Policy> bounds(Set<String> lightClients) {
    return List.of(
        new Policy("light first", 0, () -> new LightFirst(lightClients, false), null),
        new Policy(
            "light first, shortest first", 0, () -> new LightFirst(lightClients, true), null));
  }

  /** How much the figures hang on the tunables, with moving means inside the engine. */
  static List<Policy> sensitivity() {
    List<Policy> policies = new ArrayList<>();
    for (double rate : new double[] {0.02, 0.05, 0.1, 0.2, 0.5}) {
      policies.add(
          ours(
              "learning rate " + rate + ", credit",
              0,
              () -> OutputEstimate.movingMean(rate, 256),
              CREDIT_COST));
    }
    for (double credit : new double[] {500, 1_000, 2_000, 4_000, 8_000}) {
      policies.add(
          ours("credit " + (int) credit, 0, () -> estimate(Estimator.MOVING_MEAN), credit));
    }
    for (double seconds : new double[] {0, 5, Double.POSITIVE_INFINITY}) {
      String often =
          seconds == 0 ? "with each token" : Double.isInfinite(seconds) ? "never" : "each 5 s";
      policies.add(
          new Policy(
              "progress " + often + ", zero",
              0,
              () -> new FairQueueAdmission(estimate(Estimator.ZERO), seconds, 0),
              null));
    }
    for (int slots : new int[] {20, 26, 30, 36, 48}) {
      policies.add(slots(slots, 0, 0));
    }
    return policies;
  }

  private static Policy ours(
      String name, int plotted, Supplier<OutputEstimate> estimate, double creditCost) {
    return new Policy(
        name,
        plotted,
        () -> new FairQueueAdmission(estimate.get(), TABLE_SECONDS, creditCost),
        null);
  }

  private static Policy slots(int slots, int plotted, double creditCost) {
    return new Policy(
        "ours: " + slots + " slots" + (creditCost == 0 ? "" : ", credit"),
        plotted,
        () -> new SlotsAdmission(estimate(Estimator.MOVING_MEAN), slots, creditCost),
        null);
  }

  private static OutputEstimate estimate(Estimator estimator) {
    return new ServingEstimate(estimator, estimator == Estimator.MAX_TOKENS ? MAX_TOKENS : null);
  }
}
