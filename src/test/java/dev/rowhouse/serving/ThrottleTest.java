package dev.rowhouse.serving;

import static dev.rowhouse.serving.Samples.NOW;
import static dev.rowhouse.serving.Samples.OTHER_TENANT;
import static dev.rowhouse.serving.Samples.TENANT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.TenantId;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThrottleTest {
  private static final long AT_MOST = 60_000;
  private static final long CATALOG = 7;

  private final Throttle throttle = new Throttle(3, AT_MOST);
  private final Request request = new Request();

  @Test
  void letsEverythingPassAtFirst() {
    assertNull(refuse(NOW));
    assertEquals(0, throttle.refusedCount());
  }

  @Test
  void repeatsARefusalUntilItsResetAndCountsTheTimeDown() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    Answer.Refused first = refused(NOW);
    assertEquals(30_000, first.refusal().resetMillis());
    assertEquals("rate_limit_exceeded", first.refusal().code());
    Answer.Refused later = refused(NOW + 20_500);
    assertEquals(9_500, later.refusal().resetMillis());
    assertEquals(limit(9_500), later.refusal().message());
    assertTrue(later.refusal().retry());
    LimitsView limits = later.limits();
    assertNotNull(limits);
    assertEquals(100, limits.requestsPerMinute().limit());
    assertEquals(30_000 - 20_500, limits.requestsPerMinute().resetMillis());
    assertEquals(1, refused(NOW + 29_999).refusal().resetMillis());
    assertNull(refuse(NOW + 30_000));
    assertEquals(3, throttle.refusedCount());
  }

  @Test
  void believesAFarResetForItsTimeOnlyAndSaysTheWholeOfIt() {
    note(new Refusal(429, "budget_exhausted", limit(5_000_000), null, 5_000_000, false), 0);
    Answer.Refused refused = refused(NOW + AT_MOST - 1);
    assertEquals(5_000_000 - AT_MOST + 1, refused.refusal().resetMillis());
    assertFalse(refused.refusal().retry(), "nobody waits for a budget");
    assertNull(refuse(NOW + AT_MOST));
  }

  @Test
  void tellsAnSdkToRetryAsSoonAsTheResetIsNear() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(61_000), 61_000), 0);
    assertFalse(refused(NOW).refusal().retry());
    assertTrue(refused(NOW + 1_000).refusal().retry());
  }

  @Test
  void givesATenantsAnswerToNoOtherKeyAndNoOtherSecret() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    assertNull(throttle.refuse(OTHER_TENANT, request.build(), CATALOG, NOW));
    request.key = new Ask.Credential("k1", "00".repeat(32));
    assertNull(refuse(NOW), "a wrong secret");
    request.key = new Ask.Credential("k2", Samples.SECRET);
    assertNull(refuse(NOW), "another key");
  }

  @Test
  void refusesForRequestsPerMinuteWhateverIsAsked() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 4);
    request.model = "large";
    request.inputTokens = 1;
    request.outputTokensMax = 1L;
    refused(NOW + 20_000);
  }

  @Test
  void refusesForTokensWhatNeedsAtLeastAsMany() {
    request.inputTokens = 100;
    request.outputTokensMax = 50L;
    note(Refusal.until(429, "tokens_exceeded", limit(30_000), 30_000), 0);
    refused(NOW);
    request.inputTokens = 99;
    assertNull(refuse(NOW), "less input");
    request.inputTokens = 500;
    request.outputTokensMax = 49L;
    assertNull(refuse(NOW), "less output");
    request.outputTokensMax = null;
    refused(NOW);
    request.model = "large";
    assertNull(refuse(NOW), "the answers of another model may be shorter");
  }

  @Test
  void doesNotKnowWhetherADeclaredOutputIsAsMuchAsTheUsual() {
    request.outputTokensMax = null;
    note(Refusal.until(429, "tokens_exceeded", limit(30_000), 30_000), 0);
    refused(NOW);
    request.outputTokensMax = 1_000_000L;
    assertNull(refuse(NOW));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"tokens_exceeded", "budget_exhausted"})
  void asksAgainEachSecondWhileSomethingInFlightMaySettleForLess(String code) {
    note(Refusal.until(429, code, limit(30_000), 30_000), 2);
    assertEquals(29_001, refused(NOW + 999).refusal().resetMillis(), "the reset that was told");
    assertNull(refuse(NOW + Throttle.UNSURE_MILLIS));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"concurrency_exceeded", "queue_full", "queue_timeout", "no_capacity"})
  void doesNotRepeatWhatMayChangeAnyMoment(String code) {
    note(Refusal.until(429, code, limit(30_000), 30_000), 0);
    assertNull(refuse(NOW));
  }

  @Test
  void doesNotRepeatWhatNeverResetsNorAFailure() {
    note(Refusal.of(429, "tokens_exceeded", "It can never fit."), 0);
    note(Refusal.until(503, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    assertNull(refuse(NOW));
    assertEquals(0, throttle.size());
  }

  @Test
  void forgetsATenantAndNobodyElse() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    note(Refusal.until(429, "tokens_exceeded", limit(30_000), 30_000), 0);
    note(OTHER_TENANT, Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    throttle.forget(TENANT);
    throttle.forget(TENANT);
    assertNull(refuse(NOW));
    assertNotNull(throttle.refuse(OTHER_TENANT, request.build(), CATALOG, NOW));
    assertEquals(1, throttle.size());
  }

  @Test
  void believesNothingOfBeforeTheCatalogChanged() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000), 0);
    assertNull(throttle.refuse(TENANT, request.build(), CATALOG + 1, NOW));
  }

  @Test
  void theNewestRefusalCounts() {
    note(Refusal.until(429, "rate_limit_exceeded", limit(1_000), 1_000), 0);
    throttle.note(
        until(TENANT, Refusal.until(429, "rate_limit_exceeded", limit(9_000), 9_000), 0),
        CATALOG,
        NOW + 500);
    assertEquals(8_000, refused(NOW + 1_500).refusal().resetMillis());
    assertEquals(1, throttle.size());
  }

  @Test
  void whatIsOverMakesRoomFirstThenTheOldest() {
    Refusal brief = Refusal.until(429, "rate_limit_exceeded", limit(1_000), 1_000);
    Refusal lasting = Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000);
    note(new TenantId("a"), lasting, 0);
    note(new TenantId("b"), brief, 0);
    note(new TenantId("c"), lasting, 0);
    throttle.note(until(new TenantId("d"), lasting, 0), CATALOG, NOW + 2_000);
    assertEquals(3, throttle.size());
    assertNotNull(throttle.refuse(new TenantId("a"), request.build(), CATALOG, NOW + 2_000));
    throttle.note(until(new TenantId("e"), lasting, 0), CATALOG, NOW + 2_000);
    assertEquals(3, throttle.size());
    assertNull(throttle.refuse(new TenantId("a"), request.build(), CATALOG, NOW + 2_000));
    assertNotNull(throttle.refuse(new TenantId("c"), request.build(), CATALOG, NOW + 2_000));
  }

  @Test
  void anyThreadMayAskWhileItIsWritten() throws Exception {
    Refusal refusal = Refusal.until(429, "rate_limit_exceeded", limit(30_000), 30_000);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Future<?> writer =
          threads.submit(
              () -> {
                for (int i = 0; i < 20_000; i++) {
                  note(new TenantId("t" + i % 5), refusal, 0);
                  throttle.forget(new TenantId("t" + (i + 2) % 5));
                }
              });
      for (int reader = 0; reader < 3; reader++) {
        threads
            .submit(
                () -> {
                  for (int i = 0; i < 20_000; i++) {
                    throttle.refuse(new TenantId("t" + i % 5), request.build(), CATALOG, NOW);
                  }
                })
            .get();
      }
      writer.get();
    }
    assertTrue(throttle.size() <= 3);
  }

  private void note(Refusal refusal, long inFlight) {
    note(TENANT, refusal, inFlight);
  }

  private void note(TenantId tenant, Refusal refusal, long inFlight) {
    throttle.note(until(tenant, refusal, inFlight), CATALOG, NOW);
  }

  private Throttle.Until until(TenantId tenant, Refusal refusal, long inFlight) {
    LimitsView limits =
        new LimitsView(
            new LimitsView.Rows(
                new LimitsView.Row(100, 100, 30_000),
                new LimitsView.Row(1_000, 990, 40_000),
                new LimitsView.Row(10, inFlight, 0),
                null,
                null),
            new LimitsView.Row(5, 0, 0),
            "k1",
            null);
    return new Throttle.Until(tenant, Throttle.Need.of(request.build()), refusal, limits);
  }

  private Answer.@Nullable Refused refuse(long nowMillis) {
    return throttle.refuse(TENANT, request.build(), CATALOG, nowMillis);
  }

  private Answer.Refused refused(long nowMillis) {
    Answer.Refused refused = refuse(nowMillis);
    assertNotNull(refused);
    return refused;
  }

  private static String limit(long resetMillis) {
    return Refusals.limit("requests_per_minute", 100, 100, resetMillis);
  }
}
