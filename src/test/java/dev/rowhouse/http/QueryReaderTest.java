package dev.rowhouse.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.serving.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QueryReaderTest {
  private static final ActorSystem SYSTEM = ActorSystem.create("query-reader");
  private static final Materializer MATERIALIZER = SystemMaterializer.get(SYSTEM).materializer();
  private static final Instant NEW_YEAR = Instant.parse("2026-01-01T00:00:00Z");

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
  }

  private static QueryReader reader(String query) {
    return new QueryReader(
        new Call(
            HttpRequest.GET("/v1/usage" + query),
            "id",
            List.of("v1", "usage"),
            new Connection(),
            MATERIALIZER,
            0));
  }

  @Test
  void aMomentOfUtcIsTakenInBothForms() {
    assertEquals(NEW_YEAR, reader("?from=2026-01-01T00:00:00Z").time("from", Instant.EPOCH));
    assertEquals(NEW_YEAR, reader("?from=1767225600").time("from", Instant.EPOCH));
    assertEquals(NEW_YEAR, reader("").time("from", NEW_YEAR));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "2026-01-01T02:00:00%2B02:00;offset +02:00;Send 2026-01-01T00:00:00Z",
        "2026-01-01T02:00:00+02:00;offset +02:00;Send 2026-01-01T00:00:00Z",
        "2025-12-31T19:00:00-05:00;offset -05:00;Send 2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00%2B01:00%5BEurope/Berlin%5D;offset +01:00;Send 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00;names no time zone;Send 2026-01-01T00:00:00Z",
        "2026-01-01;names no time zone;Send 2026-01-01T00:00:00Z",
        "yesterday;must be a time such as;2026-01-31",
        "2026-13-01T00:00:00Z;must be a time such as;2026-01-31",
        "99999999999999;must be a time such as;2026-01-31",
        "1969-12-31T00:00:00Z;years 1970 to 9999;from",
        ";must be a time such as;2026-01-31"
      })
  void anotherTimeIsRefusedWithTheTextThatWouldHaveBeenRight(
      @org.jspecify.annotations.Nullable String value, String complaint, String advice) {
    QueryReader reader = reader("?from=" + (value == null ? "" : value));
    reader.time("from", Instant.EPOCH);
    Refusal refusal = assertNotNull(reader.refusal());
    assertEquals(400, refusal.httpStatus());
    assertEquals("from", refusal.param());
    assertTrue(refusal.message().contains(complaint), refusal.message());
    assertTrue(refusal.message().contains(advice), refusal.message());
  }

  private static Refusal assertNotNull(@org.jspecify.annotations.Nullable Refusal refusal) {
    if (refusal == null) {
      throw new AssertionError("it was not refused");
    }
    return refusal;
  }

  @Test
  void reversedEmptyAndTooWideRangesAreToldApart() {
    QueryReader reversed = reader("");
    reversed.range(NEW_YEAR, NEW_YEAR.minusSeconds(1), "HOUR", Duration.ofDays(1));
    assertTrue(assertNotNull(reversed.refusal()).message().contains("comes before"));
    QueryReader empty = reader("");
    empty.range(NEW_YEAR, NEW_YEAR, "HOUR", Duration.ofDays(1));
    assertTrue(assertNotNull(empty.refusal()).message().contains("both are"));
    QueryReader wide = reader("");
    wide.range(NEW_YEAR, NEW_YEAR.plus(Duration.ofDays(93)), "HOUR", Duration.ofDays(92));
    assertTrue(
        assertNotNull(wide.refusal()).message().contains("at most 92 days, and this one covers 93"),
        assertNotNull(wide.refusal()).message());
    QueryReader good = reader("");
    good.range(NEW_YEAR, NEW_YEAR.plus(Duration.ofDays(92)), "HOUR", Duration.ofDays(92));
    assertNull(good.refusal());
  }

  @Test
  void unknownWordsNumbersAndParametersAreNamed() {
    QueryReader word = reader("?bucket=century");
    word.oneOf("bucket", Map.of("hour", 1, "day", 2), 1);
    assertEquals("bucket must be day or hour.", assertNotNull(word.refusal()).message());
    QueryReader number = reader("?limit=many");
    number.whole("limit", 10, 100);
    assertEquals("limit", assertNotNull(number.refusal()).param());
    QueryReader misspelt = reader("?form=2026-01-01T00:00:00Z");
    misspelt.onlyKnows(Set.of("from", "to"));
    assertEquals("form", assertNotNull(misspelt.refusal()).param());
  }

  @Test
  void theFirstMistakeIsKept() {
    QueryReader reader = reader("?bucket=x&limit=x");
    reader.oneOf("bucket", Map.of("hour", 1, "day", 2), 1);
    reader.whole("limit", 10, 100);
    assertEquals("bucket", assertNotNull(reader.refusal()).param());
  }
}
