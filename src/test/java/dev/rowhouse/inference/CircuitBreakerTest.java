package dev.rowhouse.inference;

import static dev.rowhouse.inference.CallOutcome.ANSWERED;
import static dev.rowhouse.inference.CallOutcome.FAULT;
import static dev.rowhouse.inference.CallOutcome.THROTTLED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.inference.CircuitBreaker.State;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One endpoint's breaker in virtual time. */
class CircuitBreakerTest {
  private static final long OPEN_MIN = 5_000;
  private static final long OPEN_MAX = 60_000;

  private long now = 1_000_000;
  private CircuitBreaker breaker = breaker(0, new Random(1));

  private static CircuitBreaker breaker(double jitterShare, RandomGenerator random) {
    return new CircuitBreaker(
        new BreakerSettings(
            10,
            4,
            0.5,
            Duration.ofMillis(OPEN_MIN),
            Duration.ofMillis(OPEN_MAX),
            jitterShare,
            Duration.ofMillis(30_000),
            1,
            2),
        random);
  }

  private boolean call(CallOutcome outcome) {
    now++;
    return breaker.ended(outcome, now - 1, 0, now);
  }

  private void calls(CallOutcome outcome, int count) {
    for (int i = 0; i < count; i++) {
      call(outcome);
    }
  }

  private boolean throttle(long retryAfterMillis) {
    return breaker.ended(THROTTLED, now - 1, retryAfterMillis, now);
  }

  private void open() {
    calls(FAULT, 4);
    assertEquals(State.OPEN, breaker.state());
  }

  private void halfOpen() {
    now = breaker.reopensMillis();
    assertTrue(breaker.tick(now));
    assertEquals(State.HALF_OPEN, breaker.state());
  }

  @Nested
  class WhenClosed {
    @Test
    void staysClosedWhileCallsAreAnswered() {
      calls(ANSWERED, 100);
      assertEquals(State.CLOSED, breaker.state());
      assertEquals(10, breaker.calls());
      assertEquals(0, breaker.failures());
    }

    @Test
    void doesNotOpenOnFewCalls() {
      calls(FAULT, 3);
      assertEquals(State.CLOSED, breaker.state());
    }

    @Test
    void opensWithTheFailureThatMakesEnough() {
      calls(FAULT, 3);
      assertTrue(call(FAULT));
      assertEquals(State.OPEN, breaker.state());
      assertEquals(now + OPEN_MIN, breaker.reopensMillis());
      assertEquals(1, breaker.openedTotal());
    }

    @Test
    void opensAtTheShareOfTheLatestCallsAndNotBelow() {
      calls(ANSWERED, 10);
      calls(FAULT, 4);
      assertEquals(State.CLOSED, breaker.state());
      call(FAULT);
      assertEquals(State.OPEN, breaker.state());
    }

    @Test
    void doesNotOpenWithAnAnswer() {
      calls(FAULT, 3);
      assertFalse(call(ANSWERED));
      assertEquals(State.CLOSED, breaker.state());
      assertTrue(call(FAULT));
    }

    @Test
    void forgetsOldFailures() {
      calls(FAULT, 3);
      calls(ANSWERED, 10);
      calls(FAULT, 4);
      assertEquals(State.CLOSED, breaker.state());
    }
  }

  @Nested
  class WhenOpen {
    @Test
    void staysOpenForItsTimeWhateverEnds() {
      open();
      calls(ANSWERED, 10);
      calls(FAULT, 10);
      assertFalse(breaker.tick(breaker.reopensMillis() - 1));
      assertEquals(State.OPEN, breaker.state());
      assertEquals(1, breaker.openedTotal());
    }

    @Test
    void isHalfOpenAfterIt() {
      open();
      halfOpen();
      assertEquals(Long.MAX_VALUE, breaker.reopensMillis());
    }

    @Test
    void staysOpenForLongerWhenAskedTo() {
      open();
      long before = breaker.reopensMillis();
      assertFalse(throttle(1));
      assertEquals(before, breaker.reopensMillis());
      assertFalse(throttle(20_000));
      assertEquals(now + 20_000, breaker.reopensMillis());
    }
  }

  @Nested
  class WhenHalfOpen {
    @Test
    void closesAfterEnoughAnswersInARow() {
      open();
      halfOpen();
      assertFalse(call(ANSWERED));
      assertEquals(State.HALF_OPEN, breaker.state());
      assertTrue(call(ANSWERED));
      assertEquals(State.CLOSED, breaker.state());
      assertEquals(0, breaker.calls());
    }

    @Test
    void opensWithOneFailureForTwiceTheTime() {
      open();
      halfOpen();
      call(ANSWERED);
      assertTrue(call(FAULT));
      assertEquals(now + 2 * OPEN_MIN, breaker.reopensMillis());
      halfOpen();
      call(FAULT);
      assertEquals(now + 4 * OPEN_MIN, breaker.reopensMillis());
    }

    @Test
    void doublesUpToTheMostAndStartsAnewAfterClosing() {
      open();
      for (int i = 0; i < 40; i++) {
        halfOpen();
        call(FAULT);
        assertTrue(breaker.reopensMillis() - now <= OPEN_MAX);
      }
      assertEquals(now + OPEN_MAX, breaker.reopensMillis());
      halfOpen();
      calls(ANSWERED, 2);
      open();
      assertEquals(now + OPEN_MIN, breaker.reopensMillis());
    }

    @Test
    void doesNotCountCallsThatBeganBefore() {
      long began = now;
      open();
      halfOpen();
      assertFalse(breaker.ended(FAULT, began, 0, now));
      assertFalse(breaker.ended(ANSWERED, began, 0, now));
      assertFalse(breaker.ended(ANSWERED, began, 0, now));
      assertEquals(State.HALF_OPEN, breaker.state());
    }

    @Test
    void countsNothingForAProbeThatSaysNothing() {
      open();
      halfOpen();
      // A client that left is not told; the next request probes.
      now += 60_000;
      assertFalse(breaker.tick(now));
      calls(ANSWERED, 2);
      assertEquals(State.CLOSED, breaker.state());
    }
  }

  @Nested
  class WhenThrottled {
    @Test
    void pausesForAsLongAsTheUpstreamAsks() {
      assertTrue(throttle(7_000));
      assertEquals(State.OPEN, breaker.state());
      assertTrue(breaker.isThrottled());
      assertEquals(now + 7_000, breaker.reopensMillis());
    }

    @Test
    void pausesForNoLongerThanTheMost() {
      throttle(3_600_000);
      assertEquals(now + 30_000, breaker.reopensMillis());
    }

    @Test
    void doesNotDoubleAPause() {
      throttle(7_000);
      halfOpen();
      throttle(7_000);
      assertEquals(now + 7_000, breaker.reopensMillis());
      halfOpen();
      call(FAULT);
      assertEquals(now + OPEN_MIN, breaker.reopensMillis());
      assertFalse(breaker.isThrottled());
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aTimeDiffersByTheJitterAtMost(long seed) {
    breaker = breaker(0.2, new Random(seed));
    open();
    long millis = breaker.reopensMillis() - now;
    assertTrue(millis >= 4_000 && millis <= 6_000, millis + " ms");
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aRandomWalkIsNeverOpenForLongerThanItsLimit(long seed) {
    Random random = new Random(seed);
    breaker = breaker(0.2, random);
    long limit = Math.round(OPEN_MAX * 1.2);
    List<CallOutcome> outcomes = List.copyOf(EnumSet.allOf(CallOutcome.class));
    for (int step = 0; step < 20_000; step++) {
      now += random.nextInt(500);
      breaker.tick(now);
      CallOutcome outcome = outcomes.get(random.nextInt(outcomes.size()));
      breaker.ended(outcome, now - random.nextInt(2_000), random.nextInt(100_000), now);
      assertTrue(breaker.failures() <= breaker.calls() && breaker.failures() >= 0);
      if (breaker.state() == State.OPEN) {
        assertTrue(breaker.reopensMillis() > now && breaker.reopensMillis() <= now + limit);
      }
    }
    now += limit;
    breaker.tick(now);
    calls(ANSWERED, 2);
    assertEquals(State.CLOSED, breaker.state(), "a well endpoint is found well");
  }
}
