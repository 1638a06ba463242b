package dev.rowhouse.fairness;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One process of the simulation. While it is paused nothing happens in it: messages and timers pile
 * up and are worked off in their order when it goes on, by then late. While it is down they are
 * lost.
 */
abstract class SimulatedParty {
  final FairnessSimulation world;
  private final Deque<Runnable> backlog = new ArrayDeque<>();
  private long pausedUntilMillis;
  private boolean paused;
  private boolean down;

  /** Which life of the process this is; what an earlier one had planned does not happen. */
  private int life = 1;

  SimulatedParty(FairnessSimulation world) {
    this.world = world;
  }

  void pause(long millis) {
    if (!down) {
      paused = true;
      pausedUntilMillis = Math.max(pausedUntilMillis, world.nowMillis() + millis);
      world.at(pausedUntilMillis, this::goOn);
    }
  }

  private void goOn() {
    if (paused && world.nowMillis() >= pausedUntilMillis) {
      paused = false;
      while (!backlog.isEmpty() && !down) {
        backlog.removeFirst().run();
      }
    }
  }

  boolean isUp() {
    return !down;
  }

  void goDown() {
    down = true;
    paused = false;
    backlog.clear();
    life++;
  }

  void goUp() {
    down = false;
  }

  /** A message has arrived. */
  void deliver(Runnable action) {
    if (paused && !down) {
      backlog.addLast(action);
    } else if (!down) {
      action.run();
    }
  }

  /** A timer of this life. */
  void after(long delayMillis, Runnable action) {
    int began = life;
    Runnable ifStillThere =
        () -> {
          if (life == began) {
            action.run();
          }
        };
    world.at(world.nowMillis() + delayMillis, () -> deliver(ifStillThere));
  }
}
