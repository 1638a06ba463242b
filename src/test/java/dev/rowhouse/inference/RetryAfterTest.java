package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
  private static final Instant NOW = Instant.parse("2026-03-10T12:00:00Z");

  @ParameterizedTest(name = "{0} is {1} ms")
  @CsvSource({
    "7, 7000",
    "0, 0",
    "0.5, 500",
    "1.0001, 1001",
    "'Tue, 10 Mar 2026 12:00:30 GMT', 30000",
    "'Tue, 10 Mar 2026 11:00:00 GMT', 0",
    "999999999, 86400000",
    "-1, 0",
    "soon, 0",
    "1e9, 0",
    "'', 0"
  })
  void aHeaderSaysWhenToComeBack(String header, long millis) {
    assertEquals(millis, RetryAfter.millis(header, null, NOW));
  }

  @Test
  void theFinerHeaderWins() {
    assertEquals(250, RetryAfter.millis("1", "250", NOW));
    assertEquals(1_000, RetryAfter.millis("1", "a quarter", NOW));
    assertEquals(0, RetryAfter.millis(null, null, NOW));
  }
}
