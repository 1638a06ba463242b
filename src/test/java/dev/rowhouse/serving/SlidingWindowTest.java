package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlidingWindowTest {
  private static final long START = 1_000_000_000_500L;

  private final SlidingWindow window = new SlidingWindow();

  @Test
  void isEmptyAtFirst() {
    assertEquals(0, window.used(START));
    assertEquals(0, window.millisUntilEmpty(START));
    assertEquals(0, window.millisUntilFits(10, 10, START));
  }

  @Test
  void countsAnAmountForSixtySecondsAndNoLongerThanSixtyOne() {
    window.add(7, START);
    assertEquals(7, window.used(START + 60_000));
    assertEquals(0, window.used(START + 61_000));
  }

  @Test
  void saysWhenItIsEmptyToTheMillisecond() {
    window.add(7, START);
    long wait = window.millisUntilEmpty(START);
    assertEquals(7, window.used(START + wait - 1));
    assertEquals(0, window.used(START + wait));
  }

  @Test
  void saysWhenTheOldestMadeEnoughRoom() {
    window.add(5, START);
    window.add(5, START + 10_000);
    long wait = window.millisUntilFits(3, 10, START + 10_000);
    assertTrue(wait > 50_000 && wait <= 51_000, () -> "waits " + wait);
    assertEquals(0, window.millisUntilFits(3, 10, START + 10_000 + wait));
  }

  @Test
  void saysTheWholeWindowForWhatNeverFits() {
    assertEquals(61_000, window.millisUntilFits(11, 10, START));
  }

  @Test
  void correctsInTheSecondOfTheReservation() {
    long second = window.add(100, START);
    window.add(1, START + 30_000);
    window.correct(second, -60, START + 40_000);
    assertEquals(41, window.used(START + 40_000));
    assertEquals(1, window.used(START + 62_000));
  }

  @Test
  void ignoresACorrectionOfASecondThatHasLeft() {
    long second = window.add(100, START);
    window.correct(second, -60, START + 61_000);
    assertEquals(0, window.used(START + 61_000));
  }

  @Test
  void isNotFreedByAClockThatGoesBack() {
    window.add(5, START);
    assertEquals(5, window.used(START - 3_600_000));
    long counted = window.add(5, START - 3_600_000);
    assertEquals(Math.floorDiv(START, 1000L), counted);
    assertEquals(10, window.used(START + 60_000));
  }

  @Test
  void isEmptyAfterALongPause() {
    window.add(5, START);
    assertEquals(0, window.used(START + 86_400_000L));
    window.add(3, START + 86_400_000L);
    assertEquals(3, window.used(START + 86_400_000L));
  }

  /** What was admitted, and when; {@code amount} changes with corrections. */
  private static final class Admitted {
    final long millis;
    final long second;
    long amount;

    Admitted(long millis, long second, long amount) {
      this.millis = millis;
      this.second = second;
      this.amount = amount;
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void admitsInNoSixtySecondsMoreThanTheLimit(long seed) {
    Random random = new Random(seed);
    long limit = 50L + random.nextInt(200);
    List<Admitted> admitted = new ArrayList<>();
    long now = START;
    for (int step = 0; step < 3_000; step++) {
      now += random.nextInt(10) == 0 ? random.nextInt(70_000) : random.nextInt(1_500);
      long amount = 1L + random.nextInt(30);
      long wait = window.millisUntilFits(amount, limit, now);
      if (wait == 0) {
        admitted.add(new Admitted(now, window.add(amount, now), amount));
      } else if (random.nextInt(4) == 0) {
        assertTrue(window.millisUntilFits(amount, limit, now + wait - 1) > 0, "a wait too long");
        now += wait;
        assertEquals(0, window.millisUntilFits(amount, limit, now), "a wait too short");
      }
      if (!admitted.isEmpty() && random.nextInt(3) == 0) {
        Admitted one = admitted.get(Math.max(0, admitted.size() - 1 - random.nextInt(80)));
        long less = one.amount == 0 ? 0 : random.nextLong(one.amount + 1);
        window.correct(one.second, -less, now);
        if (one.second > Math.floorDiv(now, 1000L) - 61) {
          one.amount -= less;
        }
      }
      assertEquals(usedByModel(admitted, now), window.used(now), "used at step " + step);
    }
    for (Admitted last : admitted) {
      long sum =
          admitted.stream()
              .filter(one -> one.millis <= last.millis && one.millis > last.millis - 60_000)
              .mapToLong(one -> one.amount)
              .sum();
      assertTrue(sum <= limit, () -> sum + " in sixty seconds, limit " + limit);
    }
  }

  private static long usedByModel(List<Admitted> admitted, long now) {
    return admitted.stream()
        .filter(one -> one.second > Math.floorDiv(now, 1000L) - 61)
        .mapToLong(one -> one.amount)
        .sum();
  }
}
