package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.inference.RunReport;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
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
    assertTrue(Refusals.ofRun(report(502, "upstream_error", 0)).retry());
    assertFalse(Refusals.ofRun(report(400, "invalid_request_error", 0)).retry());
    assertEquals(504, Refusals.ofRun(report(504, "upstream_timeout", 0)).httpStatus());
  }

  @Test
  void ofARunPassOnWhenItsUpstreamWantsToBeAskedAgain() {
    Refusal soon = Refusals.ofRun(report(503, "no_capacity", 7_000));
    assertEquals(7_000, soon.resetMillis());
    assertTrue(soon.retry());
    assertFalse(Refusals.ofRun(report(503, "no_capacity", 61_000)).retry());
  }

  private static RunReport report(int status, String code, long retryAfterMillis) {
    InFlight request =
        new InFlight(
            new Samples.Request().build(),
            new Route(Samples.SMALL, List.of(), null),
            TestInbox.<Object>create().getRef(),
            0,
            0,
            List.of(),
            0,
            true);
    return new RunReport(
        new Orders(Samples.TENANT).order(request, new Samples.Profile().build(), Samples.NOW),
        RunReport.Outcome.FAILED,
        0,
        0,
        false,
        "small",
        code,
        "words",
        null,
        status,
        -1,
        20,
        retryAfterMillis);
  }
}
