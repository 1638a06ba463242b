package dev.rowhouse.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimeTextTest {
  @Test
  void isWhatAnInstantWrites() {
    TimeText text = new TimeText();
    long first = Instant.parse("2026-03-10T11:59:58.990Z").toEpochMilli();
    for (long time = first; time < first + 3_000; time++) {
      assertEquals(Instant.ofEpochMilli(time).toString(), text.of(time));
    }
  }

  @Test
  void ofAnyTime() {
    Random random = new Random(1);
    TimeText text = new TimeText();
    for (int i = 0; i < 10_000; i++) {
      long time = random.nextLong() >> random.nextInt(64);
      assertEquals(Instant.ofEpochMilli(time).toString(), text.of(time), "seed 1");
    }
  }
}
