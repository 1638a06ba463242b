package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantProfile;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DeskTest {
  private static final long NOW = Samples.NOW;
  private final ActorRef<Object> gateway = TestInbox.create().getRef();
  private final Profile profile = new Profile();

  private Desk desk() {
    return Samples.desk(profile.build());
  }

  private Desk.Decision admit(Desk desk, Consumer<Request> change) {
    return admit(desk, NOW, change);
  }

  private Desk.Decision admit(Desk desk, long now, Consumer<Request> change) {
    Request request = new Request();
    request.receivedAtMillis = now;
    request.deadlineMillis = now + 300_000;
    change.accept(request);
    return desk.admit(request.build(), gateway, now);
  }

  private InFlight accepted(Desk desk) {
    return accepted(admit(desk, request -> {}));
  }

  private static InFlight accepted(Desk.Decision decision) {
    return assertInstanceOf(Desk.Decision.Accepted.class, decision).request();
  }

  private static Refusal refused(Desk.Decision decision) {
    return assertInstanceOf(Desk.Decision.Refused.class, decision).refusal();
  }

  private static void assertRefused(int httpStatus, String code, Desk.Decision decision) {
    Refusal refusal = refused(decision);
    assertEquals(code, refusal.code());
    assertEquals(httpStatus, refusal.httpStatus());
  }

  private static Limits limits(
      long requests, long tokens, long concurrent, @Nullable Long month, @Nullable Double spend) {
    return new Limits(requests, tokens, concurrent, month, spend, 5L);
  }

  @Nested
  class AKey {
    @Test
    void isUnknownUnderAnotherId() {
      assertRefused(
          401,
          "invalid_api_key",
          admit(desk(), it -> it.key = new Ask.Credential("k2", Samples.SECRET)));
    }

    @Test
    void isUnknownWithAnotherSecret() {
      assertRefused(
          401,
          "invalid_api_key",
          admit(desk(), it -> it.key = new Ask.Credential("k1", "cd".repeat(32))));
    }

    @Test
    void opensUntilItExpiresAndNotAtThatMoment() {
      profile.keyExpiresAt = Instant.ofEpochMilli(NOW);
      Desk desk = desk();
      assertNull(desk.authorize(Samples.KEY, Scope.INFERENCE, NOW - 1));
      assertRefused(401, "invalid_api_key", admit(desk, it -> {}));
    }

    @Test
    void opensNothingBeyondItsScopes() {
      profile.scopes = Set.of(Scope.KNOWLEDGE);
      assertRefused(403, "insufficient_scope", admit(desk(), it -> {}));
    }

    @Test
    void opensNothingOfASuspendedTenant() {
      profile.status = TenantProfile.Status.SUSPENDED;
      assertRefused(403, "tenant_suspended", admit(desk(), it -> {}));
    }

    @Test
    void isUnknownForATenantThatIsGone() {
      profile.status = TenantProfile.Status.OFFBOARDED;
      assertRefused(401, "invalid_api_key", admit(desk(), it -> {}));
    }
  }

  @Nested
  class AModel {
    @Test
    void thatIsUnknownIs404AlsoWhenNothingElseIsAllowed() {
      profile.allowed = List.of("small");
      assertRefused(404, "model_not_found", admit(desk(), it -> it.model = "nope"));
    }

    @Test
    void ofAnotherTenantIsUnknownRatherThanForbidden() {
      profile.allowed = List.of("small");
      Refusal foreign = refused(admit(desk(), it -> it.model = "foreign"));
      assertEquals(404, foreign.httpStatus());
      Refusal unknown = refused(admit(desk(), it -> it.model = "nope"));
      assertEquals(
          unknown.message().replace("nope", "foreign"), foreign.message(), "says the same");
    }

    @Test
    void thatExistsAndIsNotAllowedIs403() {
      profile.allowed = List.of("small");
      Refusal refusal = refused(admit(desk(), it -> it.model = "large"));
      assertEquals("model_not_allowed", refusal.code());
      assertEquals("model", refusal.param());
    }

    @Test
    void mayBeAskedForByAnAllowedAlias() {
      profile.aliases = Map.of("mine", "large");
      profile.allowed = List.of("mine");
      assertEquals("large", accepted(admit(desk(), it -> it.model = "mine")).pool());
    }

    @Test
    void mayBeLeftOutWhenThereIsADefault() {
      assertEquals("small", accepted(admit(desk(), it -> it.model = null)).pool());
      profile.defaultModel = null;
      Refusal refusal = refused(admit(desk(), it -> it.model = null));
      assertEquals(400, refusal.httpStatus());
      assertEquals("model", refusal.param());
    }

    @Test
    void hasFallbacksThatExistForTheTenant() {
      profile.fallbacks = Map.of("small", List.of("gone", "foreign", "large"));
      assertEquals(List.of(Samples.LARGE), accepted(desk()).fallbacks);
    }
  }

  @Nested
  class APrompt {
    @Test
    void isTheDefaultWhenNoneIsNamed() {
      PromptTemplate template = new PromptTemplate(PromptTemplate.DEFAULT, 1, "Hello", null);
      profile.prompts = Map.of(PromptTemplate.DEFAULT, template);
      assertEquals(template, accepted(desk()).prompt);
    }

    @Test
    void isNoneWhenThereIsNoDefault() {
      assertNull(accepted(desk()).prompt);
    }

    @Test
    void isFoundByNameAndByItsNewestVersion() {
      PromptTemplate template = new PromptTemplate("greet", 3, "Hello", null);
      profile.prompts = Map.of("greet", template);
      assertEquals(template, accepted(admit(desk(), it -> it.promptName = "greet")).prompt);
      assertEquals(
          template,
          accepted(
                  admit(
                      desk(),
                      it -> {
                        it.promptName = "greet";
                        it.promptVersion = 3;
                      }))
              .prompt);
    }

    @Test
    void thatIsNotThereIsNamedInTheRefusal() {
      Refusal refusal =
          refused(
              admit(
                  desk(),
                  it -> {
                    it.promptName = "greet";
                    it.promptVersion = 2;
                  }));
      assertEquals(400, refusal.httpStatus());
      assertEquals("rowhouse.prompt", refusal.param());
      assertTrue(refusal.message().contains("greet@2"));
    }
  }

  @Nested
  class Refusing {
    @Test
    void goesFromKeyToStatusToModelToPromptToLimits() {
      profile.limits = limits(0, 0, 0, 0L, 0.0);
      profile.status = TenantProfile.Status.SUSPENDED;
      Consumer<Request> everythingWrong =
          it -> {
            it.key = new Ask.Credential("k2", Samples.SECRET);
            it.model = "nope";
            it.promptName = "nope";
          };
      assertRefused(401, "invalid_api_key", admit(desk(), everythingWrong));
      Consumer<Request> keyRight = everythingWrong.andThen(it -> it.key = Samples.KEY);
      assertRefused(403, "tenant_suspended", admit(desk(), keyRight));
      profile.status = TenantProfile.Status.ACTIVE;
      assertRefused(404, "model_not_found", admit(desk(), keyRight));
      Consumer<Request> modelRight = keyRight.andThen(it -> it.model = "small");
      assertRefused(400, "invalid_request_error", admit(desk(), modelRight));
      Consumer<Request> promptRight = modelRight.andThen(it -> it.promptName = null);
      assertRefused(429, "concurrency_exceeded", admit(desk(), promptRight));
      profile.limits = limits(0, 0, 1, 0L, 0.0);
      assertRefused(429, "rate_limit_exceeded", admit(desk(), promptRight));
      profile.limits = limits(1, 0, 1, 0L, 0.0);
      assertRefused(429, "tokens_exceeded", admit(desk(), promptRight));
      profile.limits = limits(1, 1_000, 1, 0L, 0.0);
      assertTrue(refused(admit(desk(), promptRight)).message().contains("tokens_per_month"));
      profile.limits = limits(1, 1_000, 1, 1_000L, 0.0);
      assertTrue(refused(admit(desk(), promptRight)).message().contains("spend_per_month"));
      profile.limits = limits(1, 1_000, 1, 1_000L, 1.0);
      accepted(admit(desk(), promptRight));
    }

    @Test
    void usesNothingUp() {
      profile.limits = limits(10, 25, 10, null, null);
      Desk desk = desk();
      LimitsView before = desk.view("k1", NOW);
      for (int i = 0; i < 20; i++) {
        assertRefused(429, "tokens_exceeded", admit(desk, it -> {}));
      }
      assertEquals(before, desk.view("k1", NOW));
      assertTrue(desk.isIdle());
    }

    @Test
    void namesTheLimitWhatWasUsedAndWhenToComeBack() {
      profile.limits = limits(2, 1_000, 10, null, null);
      Desk desk = desk();
      accepted(desk);
      accepted(desk);
      Refusal refusal = refused(admit(desk, it -> {}));
      assertEquals("rate_limit_exceeded", refusal.code());
      assertTrue(refusal.message().contains("limit 2, used 2"), refusal.message());
      assertTrue(refusal.resetMillis() > 60_000 && refusal.resetMillis() <= 61_000);
      accepted(admit(desk, NOW + refusal.resetMillis(), it -> {}));
    }

    @Test
    void doesNotSendBackWhatCanNeverFit() {
      profile.limits = limits(10, 25, 10, null, null);
      Refusal refusal = refused(admit(desk(), it -> {}));
      assertEquals(0, refusal.resetMillis());
      assertFalse(refusal.retry());
    }
  }

  @Nested
  class Concurrency {
    @Test
    void isNeverOvershotWaitingRequestsIncluded() {
      profile.limits = limits(100, 10_000, 2, null, null);
      Desk desk = desk();
      InFlight first = accepted(desk);
      desk.waiting().enter(first);
      accepted(desk);
      assertRefused(429, "concurrency_exceeded", admit(desk, it -> {}));
      desk.leave(first.attempt(), NOW);
      accepted(desk);
    }

    @Test
    void countsTheSameAttemptOnce() {
      profile.limits = limits(100, 10_000, 1, null, null);
      Desk desk = desk();
      Request request = new Request();
      InFlight first = accepted(desk.admit(request.build(), gateway, NOW));
      var again = desk.admit(request.build(), gateway, NOW);
      assertSame(first, assertInstanceOf(Desk.Decision.Known.class, again).request());
      assertEquals(1, desk.view("k1", NOW).requestsPerMinute().used());
    }
  }

  @Nested
  class AReservation {
    @Test
    void isInputPlusWhatTheRequestAllowsWhenThatIsLess() {
      Desk desk = desk();
      assertEquals(30, accepted(desk).reservedTokens);
      assertEquals(30, desk.view("k1", NOW).tokensPerMinute().used());
    }

    @Test
    void isWhatAnswersUsuallyHaveWhenTheRequestAllowsMore() {
      assertEquals(
          10 + 384, accepted(admit(desk(), it -> it.outputTokensMax = null)).reservedTokens);
      assertEquals(
          10 + 384, accepted(admit(desk(), it -> it.outputTokensMax = 1_000_000L)).reservedTokens);
    }

    @Test
    void learnsHowLongAnswersAre() {
      Desk desk = desk();
      for (int i = 0; i < 60; i++) {
        desk.settle(Samples.spent(accepted(desk).attempt(), 10, 8, 0), NOW + i * 61_000L);
      }
      long later = NOW + 60 * 61_000L;
      long reserved = accepted(admit(desk, later, it -> it.outputTokensMax = null)).reservedTokens;
      assertTrue(reserved < 10 + 30, () -> "reserves " + reserved);
    }

    @Test
    void isReplacedByWhatWasSpent() {
      Desk desk = desk();
      desk.settle(Samples.spent(accepted(desk).attempt(), 10, 3, 38), NOW + 2_000);
      assertEquals(13, desk.view("k1", NOW + 2_000).tokensPerMinute().used());
      assertTrue(desk.isIdle());
    }

    @Test
    void isGivenBackWholeByAnExplicitZero() {
      Desk desk = desk();
      desk.settle(Samples.spent(accepted(desk).attempt(), 0, 0, 0), NOW);
      assertEquals(0, desk.view("k1", NOW).tokensPerMinute().used());
      assertEquals(1, desk.view("k1", NOW).requestsPerMinute().used());
    }

    @Test
    void isGivenBackWhenTheClientLeaves() {
      profile.limits = limits(10, 1_000, 10, 1_000L, 1.0);
      Desk desk = desk();
      desk.leave(accepted(desk).attempt(), NOW);
      LimitsView view = desk.view("k1", NOW);
      assertEquals(0, view.tokensPerMinute().used());
      assertEquals(0, row(view.tenant().tokensPerMonth()).used());
      assertEquals(0, row(view.tenant().spendPerMonthMicros()).used());
    }

    @Test
    void isSettledOnce() {
      Desk desk = desk();
      InFlight request = accepted(desk);
      assertSame(request, desk.settle(Samples.spent(request.attempt(), 10, 3, 38), NOW));
      assertNull(desk.leave(request.attempt(), NOW));
      assertEquals(13, desk.view("k1", NOW).tokensPerMinute().used());
    }
  }

  @Nested
  class TheMonth {
    private static final long MONTH_END = 1_775_001_600_000L;

    @Test
    void refusesWhatGoesBeyondTheBudgetOfTokens() {
      profile.limits = limits(10, 10_000, 10, 59L, null);
      Desk desk = desk();
      accepted(desk);
      Refusal refusal = refused(admit(desk, it -> {}));
      assertEquals("budget_exhausted", refusal.code());
      assertFalse(refusal.retry());
      assertEquals(MONTH_END - NOW, refusal.resetMillis());
    }

    @Test
    void refusesWhatGoesBeyondTheBudgetOfMoney() {
      // A request reserves 10 * 2 + 20 * 6 = 140 millionths.
      profile.limits = limits(10, 10_000, 10, null, 0.000_279);
      Desk desk = desk();
      accepted(desk);
      assertRefused(429, "budget_exhausted", admit(desk, it -> {}));
      profile.limits = limits(10, 10_000, 10, null, 0.000_280);
      desk.profile(profile.build());
      accepted(desk);
    }

    @Test
    void beginsAnewAtItsFirstMoment() {
      profile.limits = limits(10, 10_000, 10, 40L, null);
      Desk desk = desk();
      desk.settle(Samples.spent(accepted(desk).attempt(), 10, 20, 140), NOW);
      assertRefused(429, "budget_exhausted", admit(desk, MONTH_END - 1, it -> {}));
      accepted(admit(desk, MONTH_END, it -> {}));
    }

    @Test
    void isThatInWhichARequestWasAdmittedAsInTheLedger() {
      profile.limits = limits(10, 10_000, 10, 40L, null);
      Desk desk = desk();
      InFlight old = accepted(admit(desk, MONTH_END - 1, it -> {}));
      InFlight young = accepted(admit(desk, MONTH_END + 1, it -> {}));
      assertEquals(30, row(desk.view("k1", MONTH_END + 1).tenant().tokensPerMonth()).used());
      desk.settle(Samples.spent(old.attempt(), 1, 2, 14), MONTH_END + 2);
      assertEquals(30, row(desk.view("k1", MONTH_END + 2).tenant().tokensPerMonth()).used());
      desk.settle(Samples.spent(young.attempt(), 1, 2, 14), MONTH_END + 3);
      assertEquals(3, row(desk.view("k1", MONTH_END + 3).tenant().tokensPerMonth()).used());
    }
  }

  @Nested
  class TheQueue {
    @Test
    void goesByPriorityThenDeadlineThenArrival() {
      Desk desk = desk();
      InFlight plain = queued(desk, 0, NOW + 2_000);
      InFlight same = queued(desk, 0, NOW + 2_000);
      InFlight urgent = queued(desk, 0, NOW + 1_000);
      InFlight important = queued(desk, 5, NOW + 9_000);
      InFlight unimportant = queued(desk, -5, NOW + 500);
      for (InFlight next : List.of(important, urgent, plain, same, unimportant)) {
        assertSame(next, desk.waiting().next("small", false, NOW));
        assertTrue(next.running);
      }
      assertNull(desk.waiting().next("small", false, NOW));
    }

    @Test
    void isOnePerPool() {
      Desk desk = desk();
      InFlight large = accepted(admit(desk, it -> it.model = "large"));
      desk.waiting().enter(large);
      assertNull(desk.waiting().next("small", false, NOW));
      assertEquals(List.of("large"), desk.waiting().pools());
      assertSame(large, desk.waiting().next("large", false, NOW));
      assertEquals(List.of(), desk.waiting().pools());
    }

    @Test
    void isFullAtItsLimitOverAllPools() {
      Desk desk = desk();
      for (int i = 0; i < 5; i++) {
        String pool = i % 2 == 0 ? "small" : "large";
        InFlight request = accepted(admit(desk, it -> it.model = pool));
        assertNull(desk.noPlace(request, NOW));
        desk.waiting().enter(request);
      }
      InFlight sixth = accepted(desk);
      Refusal full = desk.noPlace(sixth, NOW);
      assertNotNull(full);
      assertEquals("queue_full", full.code());
      assertEquals(429, full.httpStatus());
      desk.waiting().next("large", false, NOW);
      assertNull(desk.noPlace(sixth, NOW));
    }

    @Test
    void refusesAtOnceWhatCannotBeServedWhileItMayWait() {
      Desk desk = desk();
      for (int i = 0; i < 4; i++) {
        desk.waiting().enter(accepted(desk));
      }
      // Four requests of cost 50 wait; at 5 a second that takes 40 s, and the plan allows 30 s.
      desk.waiting().outlook(new SlotHolder.Outlook("small", 4, 5), NOW);
      Refusal late = desk.noPlace(accepted(desk), NOW);
      assertNotNull(late);
      assertEquals("queue_timeout", late.code());
      assertEquals(503, late.httpStatus());
      assertEquals(10_000, late.resetMillis());
    }

    @Test
    void refusesAtOnceWhatCannotMakeItsOwnDeadline() {
      Desk desk = desk();
      desk.waiting().enter(accepted(admit(desk, it -> it.priority = 1)));
      desk.waiting().outlook(new SlotHolder.Outlook("small", 4, 5), NOW);
      assertNotNull(
          desk.noPlace(accepted(admit(desk, it -> it.deadlineMillis = NOW + 9_000)), NOW));
      assertNull(desk.noPlace(accepted(admit(desk, it -> it.deadlineMillis = NOW + 11_000)), NOW));
    }

    @Test
    void letsARequestOfHighPriorityInThatGoesBeforeAllThatWaits() {
      Desk desk = desk();
      for (int i = 0; i < 4; i++) {
        desk.waiting().enter(accepted(desk));
      }
      desk.waiting().outlook(new SlotHolder.Outlook("small", 4, 5), NOW);
      assertNull(desk.noPlace(accepted(admit(desk, it -> it.priority = 1)), NOW));
    }

    @Test
    void refusesNobodyByAnOldOutlook() {
      Desk desk = desk();
      for (int i = 0; i < 4; i++) {
        desk.waiting().enter(accepted(desk));
      }
      desk.waiting().outlook(new SlotHolder.Outlook("small", 4, 5), NOW - 6_000);
      assertNull(desk.noPlace(accepted(desk), NOW));
    }

    @Test
    void saysNoCapacityWhenNoWorkerServesThePool() {
      Desk desk = desk();
      InFlight request = accepted(desk);
      desk.waiting().enter(request);
      assertEquals("queue_timeout", desk.waitedInVain(request, NOW + 30_000).code());
      desk.waiting().outlook(new SlotHolder.Outlook("small", 0, 0), NOW + 29_000);
      assertEquals("no_capacity", desk.waitedInVain(request, NOW + 30_000).code());
    }

    @Test
    void servesSmallRequestsInALineOfTheirOwn() {
      Desk desk = desk();
      InFlight large = accepted(admit(desk, it -> it.inputTokens = 1_000));
      InFlight small = accepted(desk);
      desk.waiting().enter(large);
      desk.waiting().enter(small);
      Backlog backlog = desk.waiting().backlog("small", NOW + 70);
      assertEquals(new Backlog(2, 1_000 + 40, 1, 50, 70, 0), backlog);
      assertSame(small, desk.waiting().next("small", true, NOW));
      assertNull(desk.waiting().next("small", true, NOW));
      assertSame(large, desk.waiting().next("small", false, NOW));
    }

    @Test
    void takesARequestOnce() {
      Desk desk = desk();
      InFlight request = accepted(desk);
      desk.waiting().enter(request);
      desk.waiting().enter(request);
      assertEquals(1, desk.waiting().size("small"));
      assertEquals(1, desk.view("k1", NOW).queueLength().used());
    }

    @Test
    void saysWhatItsHeadCosts() {
      Desk desk = desk();
      assertEquals(0, desk.waiting().backlog("small", NOW).headEstimateCost());
      desk.waiting().enter(accepted(desk));
      assertEquals(10 * 1 + 20 * 2, desk.waiting().backlog("small", NOW).headEstimateCost());
    }

    @Test
    void knowsWhoWaitedForTooLongAndWhoIsOverdue() {
      Desk desk = desk();
      InFlight waiting = accepted(desk);
      desk.waiting().enter(waiting);
      InFlight running = accepted(desk);
      assertEquals(List.of(), desk.waiting().waitedOver(1_000, NOW + 1_000));
      assertEquals(List.of(waiting), desk.waiting().waitedOver(1_000, NOW + 1_001));
      assertEquals(List.of(), desk.overdue(NOW + 300_000));
      assertEquals(Set.of(waiting, running), Set.copyOf(desk.overdue(NOW + 300_001)));
    }

    private InFlight queued(Desk desk, int priority, long deadline) {
      InFlight request =
          accepted(
              admit(
                  desk,
                  it -> {
                    it.priority = priority;
                    it.deadlineMillis = deadline;
                  }));
      desk.waiting().enter(request);
      return request;
    }
  }

  @Nested
  class Resuming {
    @Test
    void givesNoFreshQuota() {
      profile.limits = limits(10, 1_000, 10, 5_000L, 1.0);
      Desk desk = desk();
      desk.resume(Samples.opened(10, 400, 4_000, 90), NOW);
      assertRefused(429, "rate_limit_exceeded", admit(desk, it -> {}));
      LimitsView view = desk.view("k1", NOW);
      assertEquals(400, view.tokensPerMinute().used());
      assertEquals(4_000, row(view.tenant().tokensPerMonth()).used());
      assertEquals(90, row(view.tenant().spendPerMonthMicros()).used());
    }

    @Test
    void keepsWhatWasSettledWhileTheLedgerWasRead() {
      profile.limits = limits(10, 1_000, 10, 5_000L, 1.0);
      Desk desk = desk();
      desk.settle(Samples.spent(Samples.attempt(), 10, 20, 140), NOW);
      desk.resume(Samples.opened(1, 400, 4_000, 90), NOW);
      LimitsView view = desk.view("k1", NOW);
      assertEquals(430, view.tokensPerMinute().used());
      assertEquals(4_030, row(view.tenant().tokensPerMonth()).used());
      assertEquals(230, row(view.tenant().spendPerMonthMicros()).used());
    }

    @Test
    void countsARunThatAnEarlierDeskAdmitted() {
      Desk desk = desk();
      assertNull(desk.settle(Samples.spent(Samples.attempt(), 10, 20, 140), NOW));
      assertEquals(30, desk.view("k1", NOW).tokensPerMinute().used());
    }
  }

  private static LimitsView.Row row(LimitsView.@Nullable Row row) {
    assertNotNull(row);
    return row;
  }
}
