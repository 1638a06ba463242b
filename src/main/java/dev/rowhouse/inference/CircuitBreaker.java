package dev.rowhouse.inference;

import java.util.random.RandomGenerator;

/**
 * The circuit breaker of one endpoint (M. Nygard, Release It!, "Circuit Breaker"): whether calls to
 * it make sense at the moment. Pure: the time is passed in, and the chance as well.
 *
 * <pre>
 *   CLOSED    -- enough of the latest calls failed    --> OPEN       for the shortest time
 *   OPEN      -- its time is over                     --> HALF_OPEN
 *   HALF_OPEN -- enough answers in a row              --> CLOSED     with nothing held against it
 *   HALF_OPEN -- a call failed                        --> OPEN       for twice the time before
 *   CLOSED, HALF_OPEN -- 429 with Retry-After         --> OPEN       for the time that it names
 *   OPEN      -- 429 with a longer Retry-After        --> OPEN       until then
 * </pre>
 *
 * <p>It does not stand in the way of calls. Its owner takes slots away while it is open and gives
 * few while it is half open, so a waiting request is the probe, and none is made up. A call says
 * something of the state in which it began: what ends later than that is not counted.
 *
 * <p>Why not a library: those of the field (resilience4j and its like) guard a call, change from
 * open to half open when a call asks, or on a thread of their own, and count permits that a
 * cancelled probe must give back. Here slots are the permits, so what is left of a breaker is this
 * state machine.
 */
final class CircuitBreaker {
  /** What an endpoint is taken for. */
  enum State {
    CLOSED,
    OPEN,
    HALF_OPEN
  }

  /** Doublings that matter: beyond them any time is over its limit. */
  private static final int DOUBLINGS_MAX = 20;

  private final BreakerSettings settings;
  private final RandomGenerator random;
  private final boolean[] failed;
  private int counted;
  private int next;
  private int failures;

  private State state = State.CLOSED;
  private boolean throttled;
  private long sinceMillis = Long.MIN_VALUE;
  private long reopensMillis;
  private int openedInARow;
  private int answersInARow;
  private long openedTotal;

  CircuitBreaker(BreakerSettings settings, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
    this.failed = new boolean[settings.calls()];
  }

  State state() {
    return state;
  }

  /** Whether it is open because the upstream asked for a pause. */
  boolean isThrottled() {
    return state == State.OPEN && throttled;
  }

  /** How many of the latest calls count at the moment. */
  int calls() {
    return counted;
  }

  /** How many of those failed. */
  int failures() {
    return failures;
  }

  /** How often it has opened, pauses included. */
  long openedTotal() {
    return openedTotal;
  }

  /** Until when it is open; the greatest time of all when it is not. */
  long reopensMillis() {
    return state == State.OPEN ? reopensMillis : Long.MAX_VALUE;
  }

  /** Takes the end of a call and says whether the state has changed. */
  boolean ended(CallOutcome outcome, long beganMillis, long retryAfterMillis, long nowMillis) {
    if (outcome == CallOutcome.THROTTLED) {
      return pause(retryAfterMillis, nowMillis);
    }
    if (beganMillis < sinceMillis) {
      return false;
    }
    return switch (state) {
      case OPEN -> false;
      case CLOSED -> {
        boolean fault = outcome == CallOutcome.FAULT;
        count(fault);
        boolean sick =
            counted >= settings.callsMin() && failures >= settings.failureShare() * counted;
        yield fault && sick && open(nowMillis);
      }
      case HALF_OPEN -> {
        if (outcome == CallOutcome.FAULT) {
          yield open(nowMillis);
        }
        answersInARow++;
        yield answersInARow >= settings.successes() && close(nowMillis);
      }
    };
  }

  /** Lets time pass and says whether the state has changed. */
  boolean tick(long nowMillis) {
    if (state != State.OPEN || nowMillis < reopensMillis) {
      return false;
    }
    enter(State.HALF_OPEN, nowMillis);
    answersInARow = 0;
    return true;
  }

  private boolean pause(long retryAfterMillis, long nowMillis) {
    long untilMillis = nowMillis + Math.clamp(retryAfterMillis, 1, settings.pauseMax().toMillis());
    if (state == State.OPEN) {
      reopensMillis = Math.max(reopensMillis, untilMillis);
      return false;
    }
    throttled = true;
    return openUntil(untilMillis, nowMillis);
  }

  private boolean open(long nowMillis) {
    long longest = settings.openMax().toMillis();
    long millis =
        openedInARow > DOUBLINGS_MAX
            ? longest
            : Math.min(longest, settings.openMin().toMillis() << openedInARow);
    openedInARow++;
    throttled = false;
    double jitter = 1 + settings.jitterShare() * (2 * random.nextDouble() - 1);
    return openUntil(nowMillis + Math.max(1, Math.round(millis * jitter)), nowMillis);
  }

  private boolean openUntil(long untilMillis, long nowMillis) {
    reopensMillis = untilMillis;
    openedTotal++;
    enter(State.OPEN, nowMillis);
    return true;
  }

  private boolean close(long nowMillis) {
    openedInARow = 0;
    enter(State.CLOSED, nowMillis);
    return true;
  }

  private void enter(State entered, long nowMillis) {
    state = entered;
    sinceMillis = nowMillis;
    counted = 0;
    failures = 0;
    next = 0;
  }

  private void count(boolean failure) {
    if (counted == failed.length) {
      failures -= failed[next] ? 1 : 0;
    } else {
      counted++;
    }
    failed[next] = failure;
    failures += failure ? 1 : 0;
    next = (next + 1) % failed.length;
  }
}
