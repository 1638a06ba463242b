package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefusalsTest {
  @ParameterizedTest(name = "{0} ms is {1}")
  @CsvSource({
    "0, 0ms",
    "20, 20ms",
    "999, 999ms",
    "1000, 1s",
    "1500, 1.5s",
    "1001, 1.001s",
    "10000, 10s",
    "59999, 59.999s",
    "60000, 1m0s",
    "61500, 1m1s",
    "360000, 6m0s",
    "3600000, 1h0m0s",
    "90061000, 25h1m1s",
  })
  void writeDurationsAsOpenAiDoes(long millis, String text) {
    assertEquals(text, Refusals.duration(millis));
  }

  @Test
  void tellClientsToRetryOnlyWithinADelayThatTheyObey() {
    assertTrue(Refusal.until(429, "code", "words", 60_000).retry());
    assertFalse(Refusal.until(429, "code", "words", 60_001).retry());
  }

  @Test
  void ofARunKeepItsStatusAndLetOnlyServerErrorsBeRetried() {
    assertTrue(Refusals.ofRun(502, "upstream_error", "words", null).retry());
    assertFalse(Refusals.ofRun(400, "invalid_request_error", "words", null).retry());
    assertEquals(504, Refusals.ofRun(504, "upstream_timeout", "words", null).httpStatus());
  }
}
