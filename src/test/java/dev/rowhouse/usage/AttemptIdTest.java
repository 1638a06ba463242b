package dev.rowhouse.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class AttemptIdTest {
  private static final long NOW = Instant.parse("2026-03-10T12:00:00Z").toEpochMilli();

  @Test
  void isAVersionSevenUuidInLowerCase() {
    Random random = new Random(1);
    for (int i = 0; i < 1_000; i++) {
      String id = AttemptId.mint(Instant.ofEpochMilli(NOW + i), random);
      UUID uuid = UUID.fromString(id);
      assertEquals(id, uuid.toString());
      assertEquals(7, uuid.version());
      assertEquals(2, uuid.variant());
      assertEquals(NOW + i, uuid.getMostSignificantBits() >>> 16);
    }
  }

  @Test
  void isAnIdThatTheLedgerTakes() {
    assertTrue(AttemptId.isValid(AttemptId.mint(Instant.ofEpochMilli(NOW), new Random(2))));
  }

  @Test
  void sortsByTimeAsText() {
    Random random = new Random(3);
    String before = AttemptId.mint(Instant.ofEpochMilli(NOW), random);
    for (int i = 1; i < 1_000; i++) {
      String next = AttemptId.mint(Instant.ofEpochMilli(NOW + i), random);
      assertTrue(before.compareTo(next) < 0, before + " is not before " + next);
      before = next;
    }
  }

  @Test
  void isUniqueWithinAMillisecond() {
    Random random = new Random(4);
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      assertTrue(seen.add(AttemptId.mint(Instant.ofEpochMilli(NOW), random)));
    }
  }

  /** The rule, said in another way. */
  @Test
  void isNothingElse() {
    Pattern rule = Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");
    Random random = new Random(5);
    String good = AttemptId.mint(Instant.ofEpochMilli(NOW), random);
    for (int at = 0; at < good.length(); at++) {
      for (int c = 0; c < 0x200; c++) {
        String other = good.substring(0, at) + (char) c + good.substring(at + 1);
        assertEquals(rule.matcher(other).matches(), AttemptId.isValid(other), other);
      }
    }
    assertFalse(AttemptId.isValid(good + "0"));
    assertFalse(AttemptId.isValid(good.substring(1)));
    assertFalse(AttemptId.isValid(""));
  }
}
