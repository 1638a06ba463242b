package dev.rowhouse.fairness;

/**
 * One process of the simulation. While it is paused nothing happens in it: messages and timers pile
 * up and are worked off in their order when it goes on, by then late. While it is down they are
 * lost.
 */
abstract class SimulatedParty {
  final FairnessSimulation world;
  private long pausedUntilMillis;
  private boolean down;

  /** Which life of the process this is; what an earlier one had planned does not happen. */
  private int life = 1;

  SimulatedParty(FairnessSimulation world) {
    this.world = world;
  }

  void pause(long millis) {
    pausedUntilMillis = Math.max(pausedUntilMillis, world.nowMillis() + millis);
  }

  boolean isUp() {
    return !down;
  }

  void goDown() {
    down = true;
    life++;
  }

  void goUp() {
    down = false;
    pausedUntilMillis = 0;
  }

  /** A message has arrived. */
  void deliver(Runnable action) {
    if (down) {
      return;
    }
    if (world.nowMillis() < pausedUntilMillis) {
      int sentTo = life;
      world.at(
          pausedUntilMillis,
          () -> {
            if (life == sentTo) {
              deliver(action);
            }
          });
      return;
    }
    action.run();
  }

  /** A timer of this life. */
  void after(long delayMillis, Runnable action) {
    int began = life;
    world.at(
        world.nowMillis() + delayMillis,
        () -> {
          if (life == began) {
            deliver(action);
          }
        });
  }
}
