package dev.rowhouse.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.fairness.Terms;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PoolSimulationTest {
  private static final String MODEL = "m";

  private static PoolSimulation.Setting slots(int slots) {
    return new PoolSimulation.Setting(
        slots, 0, 500, 1_000, Changes.Estimate.MOVING_MEAN, 1, 2, 1_000);
  }

  private static PoolTenant tenant(String name, double weight) {
    return new PoolTenant(name, Terms.of(weight), 100_000, 3_600_000);
  }

  /** Each tenant sends so many requests a second, of random size, for a minute. */
  private static Arrivals load(long seed, int perSecond, String... tenants) {
    SplittableRandom random = new SplittableRandom(seed);
    Arrivals arrivals = new Arrivals(100_000);
    for (String tenant : tenants) {
      for (int i = 0; i < perSecond * 60; i++) {
        int output = 20 + random.nextInt(200);
        int run = 100 + 5 * output;
        arrivals.add(
            tenant,
            Records.at(
                random.nextLong(60_000), MODEL, MODEL, 50 + random.nextInt(100), output, run, 0));
      }
    }
    return arrivals;
  }

  private static PoolSimulation run(
      Arrivals arrivals, PoolSimulation.Setting setting, PoolTenant... tenants) {
    PoolSimulation simulation = new PoolSimulation(setting, List.of(tenants), () -> false);
    int[] rows = arrivals.ofModel(arrivals.number(MODEL));
    simulation.run(arrivals, rows, ServiceModel.of(arrivals, rows));
    return simulation;
  }

  private static List<String> figures(PoolSimulation simulation) {
    List<String> figures = new ArrayList<>();
    for (PoolTenant tenant : simulation.tenants()) {
      var node = Json.object();
      tenant.add(node, 1, 1, simulation.contendedMillis());
      figures.add(node.toString());
    }
    figures.add(simulation.utilisation() + " " + simulation.spanMillis());
    return figures;
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void isTheSameEachTime(long seed) {
    Arrivals arrivals = load(seed, 5, "a", "b");
    assertEquals(
        figures(run(arrivals, slots(6), tenant("a", 1), tenant("b", 2))),
        figures(run(arrivals, slots(6), tenant("a", 1), tenant("b", 2))));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void servesAllThatWasRecordedWhenNothingIsRefused(long seed) {
    Arrivals arrivals = load(seed, 5, "a", "b");
    PoolSimulation simulation = run(arrivals, slots(6), tenant("a", 1), tenant("b", 1));
    long input = 0;
    long output = 0;
    for (int row = 0; row < arrivals.count(); row++) {
      input += arrivals.inputTokens(row);
      output += arrivals.outputTokens(row);
    }
    assertEquals(
        input, simulation.tenants().stream().mapToLong(tenant -> tenant.inputTokens).sum());
    assertEquals(
        output, simulation.tenants().stream().mapToLong(tenant -> tenant.outputTokens).sum());
    assertEquals(
        arrivals.count(), simulation.tenants().stream().mapToInt(PoolTenant::served).sum());
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void twiceTheWeightIsTwiceTheShareUnderContention(long seed) {
    Arrivals arrivals = load(seed, 20, "a", "b");
    double equal = contendedShare(arrivals, 1);
    double doubled = contendedShare(arrivals, 2);
    assertEquals(0.5, equal, 0.03);
    assertEquals(2 / 3.0, doubled, 0.04);
  }

  /** The first tenant's part of the cost, when both send far more than the pool can do. */
  private static double contendedShare(Arrivals arrivals, double weight) {
    PoolTenant first = new PoolTenant("a", Terms.of(weight), 30, 3_600_000);
    PoolTenant second = new PoolTenant("b", Terms.of(1), 30, 3_600_000);
    run(arrivals, slots(6), first, second);
    return first.contendedCost / (first.contendedCost + second.contendedCost);
  }

  @Test
  void entitlementFollowsTheWeights() {
    Arrivals arrivals = load(9, 40, "a", "b");
    PoolTenant first = tenant("a", 3);
    PoolTenant second = tenant("b", 1);
    PoolSimulation simulation = run(arrivals, slots(6), first, second);
    // The lighter one waits alone once the other's backlog is done, so it is entitled to more then.
    double entitled = first.entitledMillis / simulation.contendedMillis();
    assertTrue(entitled > 0.4 && entitled <= 0.75, "entitled to " + entitled);
    assertEquals(
        1,
        (first.entitledMillis + second.entitledMillis) / simulation.contendedMillis(),
        1e-6,
        "while somebody waits, all of the pool is somebody's");
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void moreSlotsMeanShorterWaits(long seed) {
    Arrivals arrivals = load(seed, 8, "a", "b");
    double before = Double.MAX_VALUE;
    for (int slots : new int[] {4, 8, 16, 32}) {
      PoolTenant first = tenant("a", 1);
      PoolTenant second = tenant("b", 1);
      run(arrivals, slots(slots), first, second);
      double mean = first.waits.mean() + second.waits.mean();
      assertTrue(mean < before, slots + " slots: " + mean + " after " + before);
      before = mean;
    }
    assertEquals(0, before, 1.0, "with a slot for everybody nobody waits");
  }

  @Test
  void refusesWhatFindsTheQueueFullOrWaitsTooLong() {
    Arrivals arrivals = new Arrivals(100);
    for (int i = 0; i < 10; i++) {
      arrivals.add("a", Records.at(0, MODEL, MODEL, 10, 10, 10_000, 0));
    }
    PoolTenant tenant = new PoolTenant("a", Terms.of(1), 4, 15_000);
    run(arrivals, slots(1), tenant);
    assertEquals(10, tenant.arrived);
    assertEquals(5, tenant.refusedQueueFull, "one runs, four wait, five are refused");
    assertEquals(4, tenant.queueLengthMost);
    assertEquals(2, tenant.served(), "one at once, one after 10 s; at 15 s the others gave up");
    assertEquals(3, tenant.timedOut);
  }

  @Test
  void keepsReservedSlotsFree() {
    Arrivals arrivals = load(4, 20, "a", "b");
    PoolTenant reserved = new PoolTenant("a", new Terms(1, 0, 0.8, null), 100_000, 3_600_000);
    PoolTenant other = tenant("b", 1);
    run(arrivals, slots(10), reserved, other);
    assertTrue(
        reserved.waits.mean() * 2 < other.waits.mean(),
        reserved.waits.mean() + " beside " + other.waits.mean());
  }

  @Test
  void endsWhenItIsCancelled() {
    Arrivals arrivals = load(4, 100, "a");
    PoolSimulation simulation = new PoolSimulation(slots(2), List.of(tenant("a", 1)), () -> true);
    int[] rows = arrivals.ofModel(arrivals.number(MODEL));
    ServiceModel service = ServiceModel.of(arrivals, rows);
    assertEquals(
        499,
        assertThrows(ReplayProblem.class, () -> simulation.run(arrivals, rows, service)).status());
  }

  @Test
  void learnsTheSpeedOfAModelFromItsRuns() {
    Arrivals arrivals = load(5, 5, "a");
    ServiceModel service = ServiceModel.of(arrivals, arrivals.ofModel(arrivals.number(MODEL)));
    assertEquals(100, service.baseMillis(), 1);
    assertEquals(5, service.outputTokenMillis(), 0.01);
    assertEquals(0, service.inputTokenMillis(), 0.01);
  }

  @Test
  void holdsNoMoreThanItMay() {
    Arrivals arrivals = new Arrivals(3);
    for (int i = 0; i < 3; i++) {
      arrivals.add("a", Records.of(MODEL, MODEL, 1, 1));
    }
    ReplayProblem problem =
        assertThrows(ReplayProblem.class, () -> arrivals.add("a", Records.of(MODEL, MODEL, 1, 1)));
    assertEquals("too_many_records", problem.code());
  }
}
