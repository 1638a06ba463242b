package dev.rowhouse.inference;

import java.time.Duration;
import java.time.InstantSource;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * The limits of time of a run: the request's deadline, and by when that must come for which the run
 * waits at the moment. One timer serves both. It may fire too early, never too late, so it is
 * rarely reset.
 */
final class RunTimer {
  /** What a tick found. */
  enum Due {
    NOTHING,
    /** What was expected did not come; said once. */
    OVERDUE,
    /** The deadline has passed; said once. */
    DEADLINE
  }

  private final ActorContext<?> context;
  private final ActorRef<RunMessage.Tick> self;
  private final InstantSource clock;
  private long deadlineMillis;
  private long overdueMillis = Long.MAX_VALUE;
  private long tickAtMillis = Long.MAX_VALUE;
  private @Nullable Cancellable tick;

  /** A timer that is first set with the first expectation. */
  RunTimer(
      ActorContext<?> context,
      ActorRef<RunMessage.Tick> self,
      InstantSource clock,
      long deadlineMillis) {
    this.context = context;
    this.self = self;
    this.clock = clock;
    this.deadlineMillis = deadlineMillis;
  }

  void expectWithin(long millis) {
    overdueMillis = clock.millis() + millis;
    arm();
  }

  void expectNothing() {
    overdueMillis = Long.MAX_VALUE;
  }

  /** Takes a tick and says what it means. */
  Due tick() {
    tickAtMillis = Long.MAX_VALUE;
    tick = null;
    long now = clock.millis();
    Due due = Due.NOTHING;
    if (now >= deadlineMillis) {
      deadlineMillis = Long.MAX_VALUE;
      due = Due.DEADLINE;
    } else if (now >= overdueMillis) {
      overdueMillis = Long.MAX_VALUE;
      due = Due.OVERDUE;
    }
    arm();
    return due;
  }

  void cancel() {
    if (tick != null) {
      tick.cancel();
    }
  }

  private void arm() {
    long due = Math.min(deadlineMillis, overdueMillis);
    if (tickAtMillis > due) {
      cancel();
      tickAtMillis = due;
      Duration delay = Duration.ofMillis(Math.max(1, due - clock.millis()));
      tick = context.scheduleOnce(delay, self, new RunMessage.Tick());
    }
  }
}
