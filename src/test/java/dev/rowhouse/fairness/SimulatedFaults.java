package dev.rowhouse.fairness;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What goes wrong in a simulation: lost, doubled and late messages; processes that end, restart and
 * pause; a coordinator that cannot reach some of the others; a coordinator of the past that goes
 * on; slots that go and come back.
 */
final class SimulatedFaults {

  /** No messages pass between the two, from one time to another. */
  private record Cut(
      SimulatedCoordinator coordinator, SimulatedParty other, long fromMillis, long toMillis) {}

  private final FairnessSimulation world;
  private final Random random;
  private final boolean contest;
  private final double dropShare;
  private final double doubleShare;
  private final int lateEvery;
  private final int lateMillis;
  private final List<Cut> cuts = new ArrayList<>();

  SimulatedFaults(FairnessSimulation world, boolean contest) {
    this.world = world;
    this.random = world.random;
    this.contest = contest;
    this.dropShare = random.nextInt(4) * 0.05;
    this.doubleShare = random.nextInt(4) * 0.05;
    this.lateEvery = 2 + random.nextInt(30);
    this.lateMillis = random.nextInt(4) == 0 ? 6_000 : 1_500;
  }

  boolean isContest() {
    return contest;
  }

  private boolean isChaos() {
    return !contest && world.nowMillis() < FairnessSimulation.CHAOS_MILLIS;
  }

  int copies() {
    if (!isChaos()) {
      return 1;
    }
    double chance = random.nextDouble();
    return chance < dropShare ? 0 : chance < dropShare + doubleShare ? 2 : 1;
  }

  long delayMillis() {
    boolean late = isChaos() && random.nextInt(lateEvery) == 0;
    return 1L + random.nextInt(late ? lateMillis : 10);
  }

  boolean isCut(SimulatedCoordinator coordinator, SimulatedParty other) {
    long now = world.nowMillis();
    for (Cut cut : cuts) {
      if (cut.coordinator().equals(coordinator)
          && cut.other().equals(other)
          && now >= cut.fromMillis()
          && now < cut.toMillis()) {
        return true;
      }
    }
    return false;
  }

  /** Decides when each fault happens. */
  void plan() {
    if (contest) {
      return;
    }
    int successors = random.nextInt(3);
    for (int number = 0; number < successors; number++) {
      world.at(sometime(), this::succeed);
    }
    for (SimulatedTenant tenant : world.tenants) {
      if (random.nextInt(4) == 0) {
        world.at(sometime(), tenant::restart);
      }
      maybePause(tenant);
    }
    for (SimulatedWorker worker : world.workers) {
      if (random.nextInt(3) == 0) {
        long down = random.nextBoolean() ? 0 : random.nextInt(4_000);
        world.at(sometime(), () -> worker.crash(down));
      }
      if (random.nextInt(6) == 0) {
        long begin = sometime();
        int left = random.nextInt(2);
        world.at(begin, () -> worker.deliver(() -> worker.cap(left)));
        world.at(
            Math.min(FairnessSimulation.CHAOS_MILLIS, begin + 2_000),
            () -> worker.deliver(() -> worker.cap(Integer.MAX_VALUE)));
      }
      maybePause(worker);
    }
    if (random.nextInt(3) == 0) {
      world.at(sometime(), () -> pause(world.coordinators.getLast()));
    }
    if (random.nextInt(4) == 0) {
      world.at(sometime(), this::cut);
    }
  }

  private long sometime() {
    return random.nextInt((int) FairnessSimulation.CHAOS_MILLIS);
  }

  private void maybePause(SimulatedParty party) {
    if (random.nextInt(4) == 0) {
      world.at(sometime(), () -> pause(party));
    }
  }

  /** Short ones look like a slow garbage collection, long ones like the end of the process. */
  private void pause(SimulatedParty party) {
    long left = FairnessSimulation.CHAOS_MILLIS - world.nowMillis();
    party.pause(Math.min(left, 200L + random.nextInt(random.nextBoolean() ? 1_000 : 7_000)));
  }

  /**
   * The one before stops now; or it goes on for a while; or it is paused, and goes on when the next
   * one has long begun.
   */
  private void succeed() {
    SimulatedCoordinator before = world.coordinators.getLast();
    switch (random.nextInt(3)) {
      case 0 -> before.goDown();
      case 1 -> world.at(world.nowMillis() + random.nextInt(3_000), before::goDown);
      default -> {
        long paused = 1_000L + random.nextInt(5_000);
        before.pause(paused);
        world.at(world.nowMillis() + paused + random.nextInt(2_000), before::goDown);
      }
    }
    world.startCoordinator();
  }

  private void cut() {
    SimulatedCoordinator coordinator = world.coordinators.getLast();
    List<SimulatedParty> others = new ArrayList<>(world.workers);
    others.addAll(world.tenants);
    long until =
        Math.min(
            FairnessSimulation.CHAOS_MILLIS, world.nowMillis() + 1_000L + random.nextInt(6_000));
    for (SimulatedParty other : others) {
      if (random.nextBoolean()) {
        cuts.add(new Cut(coordinator, other, world.nowMillis(), until));
      }
    }
  }
}
