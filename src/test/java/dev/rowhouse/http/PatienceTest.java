package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatienceTest {
  @Test
  void theShortestOfAllCounts() {
    assertEquals(301_000, new Patience(300_000, null).deadlineMillis(1_000, null, false));
    assertEquals(3_000, new Patience(300_000, null).deadlineMillis(1_000, 2_000L, true));
    assertEquals(3_000, new Patience(300_000, 600_000L).deadlineMillis(1_000, 2_000L, false));
    assertEquals(2_500, new Patience(300_000, 1_500L).deadlineMillis(1_000, 2_000L, false));
    assertEquals(301_000, new Patience(300_000, 600_000L).deadlineMillis(1_000, null, false));
  }

  @Test
  void anSdksTimeOutIsNotTheEndOfAStream() {
    assertEquals(301_000, new Patience(300_000, 1_500L).deadlineMillis(1_000, null, true));
  }

  @ParameterizedTest(name = "{0} s are {1} ms")
  @CsvSource({"600, 600000", "600.0, 600000", "1.5, 1500", "0, 1000", "99999999999999, 2147483647"})
  void readsTheSecondsOfAnSdk(String header, long millis) {
    assertEquals(millis, Patience.sdkMillis(header));
  }

  @ParameterizedTest(name = "\"{0}\"")
  @ValueSource(
      strings = {"", " ", "-1", "soon", "1e9", "1,5", "NaN", "0x10", "1.", "999999999999999999999"})
  void whatIsNoNumberOfSecondsIsNotRead(String header) {
    assertNull(Patience.sdkMillis(header));
  }
}
