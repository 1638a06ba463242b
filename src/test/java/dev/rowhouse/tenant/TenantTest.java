package dev.rowhouse.tenant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.tenant.TenantProfile.Status;
import dev.rowhouse.tenant.TenantReply.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class TenantTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final Instant START = Instant.parse("2026-03-01T10:00:00Z");

  private Tenant tenant = Tenant.unknown(ACME);
  private Instant now = START;
  private int requests;

  @Nested
  class WhenUnknown {
    @Test
    void isOnboardedWithAKeyForEverything() {
      NewKey key = newKey('a');
      TenantReply.Onboarded reply = onboard(spec("Acme"), key);

      assertTrue(reply.created());
      assertEquals(key.id(), reply.keyId());
      assertEquals(
          List.of("keys", "limits", "store:default", "routes", "cache"), reply.provisioned());
      assertEquals(Status.ACTIVE, reply.profile().status());
      assertEquals("standard", reply.profile().plan());
      KeyEntry entry = reply.profile().keys().get(key.id());
      assertNotNull(entry);
      assertEquals(EnumSet.allOf(Scope.class), entry.scopes());
      assertNull(entry.expiresAt());
      assertEquals(1, reply.profile().version());
    }

    @Test
    void keepsTheDeclaredPromptsAsVersionOne() {
      TenantReply.Onboarded reply = onboard(prompts(Map.of("a", "A {{x}}", "b", "B")), newKey('a'));
      assertEquals(Set.of("a", "b"), reply.profile().prompts().keySet());
      assertEquals(new PromptTemplate("a", 1, "A {{x}}", null), reply.profile().prompts().get("a"));
      assertTrue(reply.provisioned().contains("prompts"));
    }

    @Test
    void refusesEverythingElse() {
      for (TenantCommand command : changes()) {
        if (!(command instanceof TenantCommand.Onboard)) {
          assertRefused(Reason.TENANT_NOT_FOUND, command);
        }
      }
      assertRefused(Reason.TENANT_NOT_FOUND, new TenantCommand.GetProfile());
      assertNull(tenant.profile("standard"));
    }
  }

  @Nested
  class WhenActive {
    private final NewKey first = newKey('f');

    @BeforeEach
    void isOnboarded() {
      onboard(prompts(Map.of("a", "A")), first);
    }

    @Test
    void theSameBodyAgainChangesNothingAndGivesNoKey() {
      long version = tenant.version();
      TenantReply.Onboarded reply = onboard(prompts(Map.of("a", "A")), newKey('x'));
      assertFalse(reply.created());
      assertNull(reply.keyId());
      assertEquals(version, tenant.version());
      assertEquals(Set.of(first.id()), reply.profile().keys().keySet());
    }

    @Test
    void theSameRequestAgainIsAnsweredAsTheFirstTime() {
      String id = requireNonNull(tenant.onboarding()).requestId();
      TenantReply reply = send(new TenantCommand.Onboard(id, prompts(Map.of("a", "A")), first));
      assertEquals(first.id(), assertInstanceOf(TenantReply.Onboarded.class, reply).keyId());
    }

    @Test
    void anotherBodyReplacesTheSettingsAndGivesNoKey() {
      TenantReply.Onboarded reply = onboard(prompts(Map.of("b", "B")), newKey('x'));
      assertFalse(reply.created());
      assertEquals(Set.of("b"), reply.profile().prompts().keySet());
      assertEquals(Set.of(first.id()), reply.profile().keys().keySet());
    }

    @Test
    void aPromptOfTheTenantsOwnOutlivesAnotherBody() {
      putPrompt("mine", "M");
      putPrompt("a", "A of the tenant");
      TenantReply.Onboarded reply = onboard(prompts(Map.of("a", "A", "b", "B")), newKey('x'));
      assertEquals(Set.of("a", "b", "mine"), reply.profile().prompts().keySet());
      assertEquals(
          "A of the tenant", requireNonNull(reply.profile().prompts().get("a")).template());
    }

    @Test
    void aPatchChangesWhatItNames() {
      TenantProfile profile =
          profile(patch("{\"weight\": 3, \"prompts\": {\"a\": \"A2\", \"c\": \"C\"}}"));
      assertEquals(3.0, profile.weight());
      assertEquals(new PromptTemplate("a", 2, "A2", null), profile.prompts().get("a"));
      assertEquals(new PromptTemplate("c", 1, "C", null), profile.prompts().get("c"));
    }

    @Test
    void aPatchThatComesTwiceDoesNotUndoTheOneBetween() {
      TenantCommand patch = new TenantCommand.Patch("p1", new TenantPatch("{\"weight\": 3}"));
      send(patch);
      send(new TenantCommand.Patch("p2", new TenantPatch("{\"weight\": 4}")));
      assertEquals(4.0, profile(send(patch)).weight());
    }

    @Test
    void aPatchThatChangesNothingWritesNothing() {
      long version = tenant.version();
      patch("{\"content_log\": false}");
      assertEquals(version, tenant.version());
    }

    @Test
    void suspendsAndResumesOnceEach() {
      assertEquals(Status.SUSPENDED, profile(send(new TenantCommand.Suspend("s"))).status());
      long version = tenant.version();
      assertEquals(Status.SUSPENDED, profile(send(new TenantCommand.Suspend("s2"))).status());
      assertEquals(version, tenant.version());
      assertEquals(Status.ACTIVE, profile(send(new TenantCommand.Resume("r"))).status());
      assertEquals(Status.ACTIVE, profile(send(new TenantCommand.Suspend("s"))).status());
    }

    @Test
    void aKeyIsCreatedOnceThoughAskedTwice() {
      TenantCommand create = createKey(newKey('k'), null);
      TenantReply reply = send(create);
      long version = tenant.version();
      assertEquals(reply, send(create));
      assertEquals(version, tenant.version());
      assertEquals(2, tenant.keys().entries().size());
    }

    @Test
    void aKeysNameAndLimitsArePatchedAndARotationKeepsThem() {
      TenantReply changed =
          send(changeFirst("{\"name\": \"ci\", \"limits\": {\"concurrent_requests\": 2}}"));
      KeyEntry key = assertInstanceOf(TenantReply.KeyChanged.class, changed).key();
      assertEquals("ci", key.name());
      assertEquals(new Limits(null, null, 2L, null, null, null), key.limits());
      long version = tenant.version();
      send(changeFirst("{\"limits\": {\"concurrent_requests\": 2}}"));
      assertEquals(version, tenant.version(), "nothing changed, nothing written");
      NewKey second = newKey('s');
      send(new TenantCommand.RotateKey(request(), first.id(), second, 60));
      NewKey third = newKey('t');
      send(new TenantCommand.RotateKey(request(), second.id(), third, 60));
      KeyEntry last = requireNonNull(tenant.keys().entries().get(third.id()));
      assertEquals(key.limits(), last.limits());
      assertEquals(List.of(first.id(), second.id()), last.replaced());
      assertEquals(first.id(), last.meter());
      assertRefused(Reason.INVALID, changeFirst("{\"limits\": {\"queue_length\": 2}}"));
      assertRefused(
          Reason.KEY_NOT_FOUND,
          new TenantCommand.ChangeKey(request(), newKey('n').id(), new TenantPatch("{}")));
    }

    private TenantCommand changeFirst(String patch) {
      return new TenantCommand.ChangeKey(request(), first.id(), new TenantPatch(patch));
    }

    @Test
    void aMarkOfABudgetIsNotedOnceAndUntilTheNextMonth() {
      BudgetMark march = new BudgetMark(BudgetMark.TOKENS, null, "2026-03", 80, 1_000);
      send(new TenantCommand.MarkBudget(march));
      long version = tenant.version();
      send(new TenantCommand.MarkBudget(march));
      assertEquals(version, tenant.version());
      BudgetMark april = new BudgetMark(BudgetMark.TOKENS, null, "2026-04", 80, 1_000);
      TenantProfile profile = profile(send(new TenantCommand.MarkBudget(april)));
      assertEquals(List.of(new BudgetMark.Reached(april, now)), profile.marks());
    }

    @Test
    void aKeyThatWouldBeExpiredOrOpenNothingIsRefused() {
      assertRefused(Reason.INVALID, createKey(newKey('k'), now));
      assertRefused(
          Reason.INVALID,
          new TenantCommand.CreateKey(request(), newKey('k'), "n", Set.of(), null, null));
      assertRefused(
          Reason.INVALID,
          new TenantCommand.CreateKey(
              request(), newKey('k'), " ", Set.of(Scope.INFERENCE), null, null));
    }

    @Test
    void keysAreBoundedAndExpiredOnesMakeRoom() {
      for (int i = 1; i < KeyRing.KEYS_MAX; i++) {
        send(createKey(newKey(i), now.plusSeconds(60)));
      }
      assertRefused(Reason.TOO_MANY, createKey(newKey('z'), null));
      now = now.plusSeconds(60);
      assertInstanceOf(TenantReply.KeyCreated.class, send(createKey(newKey('z'), null)));
      assertEquals(2, tenant.keys().entries().size());
    }

    @Test
    void aRevokedKeyIsGone() {
      TenantCommand revoke = new TenantCommand.RevokeKey("r", first.id());
      assertEquals(new TenantReply.KeyRevoked(first.id()), send(revoke));
      assertEquals(Map.of(), tenant.keys().entries());
      assertEquals(new TenantReply.KeyRevoked(first.id()), send(revoke));
      assertRefused(Reason.KEY_NOT_FOUND, new TenantCommand.RevokeKey("r2", first.id()));
    }

    @Test
    void aRotatedKeyOpensUntilItsGraceEnds() {
      NewKey second = newKey('s');
      TenantCommand rotate = new TenantCommand.RotateKey("r", first.id(), second, 60);
      TenantReply.KeyRotated reply = assertInstanceOf(TenantReply.KeyRotated.class, send(rotate));
      assertEquals(now.plusSeconds(60), requireNonNull(reply.old()).expiresAt());
      assertNull(reply.key().expiresAt());
      assertEquals(reply, send(rotate));
      assertNotNull(tenant.keys().live(first.id(), now.plusSeconds(59)));
      assertNull(tenant.keys().live(first.id(), now.plusSeconds(60)));
      assertRefused(
          Reason.KEY_ROTATED, new TenantCommand.RotateKey("r2", first.id(), newKey('t'), 60));
    }

    @Test
    void aRotationWithoutGraceEndsTheOldKeyAtOnce() {
      TenantReply reply = send(new TenantCommand.RotateKey("r", first.id(), newKey('s'), 0));
      assertNull(assertInstanceOf(TenantReply.KeyRotated.class, reply).old());
      assertEquals(Set.of(newKey('s').id()), tenant.keys().entries().keySet());
    }

    @Test
    void aRotationKeepsTheLengthOfALimitedLife() {
      NewKey limited = newKey('l');
      send(createKey(limited, now.plus(Duration.ofDays(10))));
      now = now.plus(Duration.ofDays(9));
      TenantReply reply = send(new TenantCommand.RotateKey("r", limited.id(), newKey('m'), 3600));
      assertEquals(
          now.plus(Duration.ofDays(10)),
          assertInstanceOf(TenantReply.KeyRotated.class, reply).key().expiresAt());
    }

    @Test
    void anAbsurdGraceIsRefused() {
      assertRefused(Reason.INVALID, new TenantCommand.RotateKey("r", first.id(), newKey('s'), -1));
      assertRefused(
          Reason.INVALID,
          new TenantCommand.RotateKey("r", first.id(), newKey('s'), Long.MAX_VALUE));
    }

    @Test
    void everySaveOfAPromptIsANewVersionOfWhichTheLatestAreKept() {
      for (int i = 2; i <= PromptShelf.VERSIONS_MAX + 5; i++) {
        TenantReply reply = putPrompt("a", "A" + i);
        assertEquals(i, assertInstanceOf(TenantReply.PromptSaved.class, reply).prompt().version());
      }
      TenantReply versions = send(new TenantCommand.GetPromptVersions("a"));
      List<Integer> kept =
          assertInstanceOf(TenantReply.PromptVersions.class, versions).newestFirst().stream()
              .map(saved -> saved.prompt().version())
              .toList();
      assertEquals(PromptShelf.VERSIONS_MAX, kept.size());
      assertEquals(25, kept.getFirst());
      assertEquals(6, kept.getLast());
    }

    @Test
    void aPromptThatComesBackGoesOnCounting() {
      putPrompt("a", "A2");
      TenantCommand delete = new TenantCommand.DeletePrompt("d", "a");
      send(delete);
      assertEquals(new TenantReply.PromptDeleted("a"), send(delete));
      assertRefused(Reason.PROMPT_NOT_FOUND, new TenantCommand.DeletePrompt("d2", "a"));
      assertRefused(Reason.PROMPT_NOT_FOUND, new TenantCommand.GetPromptVersions("a"));
      TenantReply reply = putPrompt("a", "A3");
      assertEquals(3, assertInstanceOf(TenantReply.PromptSaved.class, reply).prompt().version());
    }

    @Test
    void aTemplateThatIsNoneIsRefusedWithItsLine() {
      TenantReply.Refused refused = assertRefused(Reason.INVALID, put("a", "one\n{{#two}}"));
      assertEquals("template", refused.param());
      assertTrue(refused.message().contains("line 2"), refused.message());
      assertRefused(Reason.INVALID, put("a b", "x"));
      assertRefused(Reason.INVALID, put("a", "x".repeat(PromptShelf.TEMPLATE_LENGTH_MAX + 1)));
    }

    @Test
    void promptsAreBounded() {
      for (int i = 1; i < PromptShelf.PROMPTS_MAX; i++) {
        putPrompt("p" + i, "x");
      }
      assertRefused(Reason.TOO_MANY, put("one-more", "x"));
      assertRefused(
          Reason.TOO_MANY,
          new TenantCommand.Patch(request(), new TenantPatch("{\"prompts\": {\"z\": \"x\"}}")));
    }
  }

  @Nested
  class WhenSuspended {
    @BeforeEach
    void isSuspended() {
      onboard(spec("Acme"), newKey('f'));
      send(new TenantCommand.Suspend(request()));
    }

    @Test
    void stillTakesSettingsAndKeys() {
      assertEquals(2.0, profile(patch("{\"weight\": 2}")).weight());
      assertInstanceOf(TenantReply.KeyCreated.class, send(createKey(newKey('k'), null)));
      assertEquals(Status.SUSPENDED, tenant.status());
    }

    @Test
    void onboardingAgainDoesNotResumeIt() {
      assertEquals(Status.SUSPENDED, onboard(spec("Another"), newKey('x')).profile().status());
    }

    @Test
    void isOffboarded() {
      assertInstanceOf(TenantReply.Offboarded.class, send(new TenantCommand.Offboard(request())));
    }
  }

  @Nested
  class WhenOffboarded {
    @BeforeEach
    void isOffboarded() {
      onboard(prompts(Map.of("a", "A")), newKey('f'));
      assertEquals(
          new TenantReply.Offboarded(ACME, now, 1, 1), send(new TenantCommand.Offboard(request())));
    }

    @Test
    void forgetsKeysPromptsAndSettings() {
      TenantProfile profile = profile(send(new TenantCommand.GetProfile()));
      assertEquals(Status.OFFBOARDED, profile.status());
      assertEquals(Map.of(), profile.keys());
      assertEquals(Map.of(), profile.prompts());
      assertEquals(TenantSpec.DEFAULTS, tenant.spec());
    }

    @Test
    void refusesEveryChangeAndOnboardingToo() {
      for (TenantCommand command : changes()) {
        if (!(command instanceof TenantCommand.Offboard)) {
          TenantReply.Refused refused = assertRefused(Reason.TENANT_OFFBOARDED, command);
          assertEquals("tenant_offboarded", refused.reason().code());
          assertEquals(409, refused.reason().httpStatus());
        }
      }
    }

    @Test
    void isOffboardedAgainWithTheSameReport() {
      Instant at = now;
      now = now.plusSeconds(60);
      assertEquals(
          new TenantReply.Offboarded(ACME, at, 1, 1), send(new TenantCommand.Offboard(request())));
    }
  }

  private List<TenantCommand.Change> changes() {
    return List.of(
        new TenantCommand.Onboard(request(), spec("x"), newKey('o')),
        new TenantCommand.Patch(request(), new TenantPatch("{}")),
        new TenantCommand.Suspend(request()),
        new TenantCommand.Resume(request()),
        new TenantCommand.Offboard(request()),
        new TenantCommand.CreateKey(
            request(), newKey('k'), "n", Set.of(Scope.INFERENCE), null, null),
        new TenantCommand.RevokeKey(request(), newKey('f').id()),
        new TenantCommand.RotateKey(request(), newKey('f').id(), newKey('r'), 0),
        new TenantCommand.PutPrompt(request(), "p", "x", null),
        new TenantCommand.DeletePrompt(request(), "p"));
  }

  private TenantReply send(TenantCommand command) {
    Decision decision = tenant.decide(command, now, "standard");
    Tenant replayed = tenant;
    for (TenantEvent event : decision.events()) {
      replayed = replayed.apply(event);
    }
    assertEquals(replayed, decision.after());
    tenant = replayed;
    return decision.reply();
  }

  private TenantReply.Refused assertRefused(Reason reason, TenantCommand command) {
    Tenant before = tenant;
    TenantReply.Refused refused =
        assertInstanceOf(TenantReply.Refused.class, send(command), command.toString());
    assertEquals(reason, refused.reason(), command.toString());
    assertEquals(before, tenant);
    return refused;
  }

  private TenantReply.Onboarded onboard(TenantSpec spec, NewKey key) {
    return assertInstanceOf(
        TenantReply.Onboarded.class, send(new TenantCommand.Onboard(request(), spec, key)));
  }

  private TenantReply patch(String json) {
    return send(new TenantCommand.Patch(request(), new TenantPatch(json)));
  }

  private TenantReply putPrompt(String name, String template) {
    return send(put(name, template));
  }

  private TenantCommand put(String name, String template) {
    return new TenantCommand.PutPrompt(request(), name, template, null);
  }

  private TenantCommand createKey(
      NewKey key, @org.jspecify.annotations.Nullable Instant expiresAt) {
    return new TenantCommand.CreateKey(
        request(), key, "ci", Set.of(Scope.INFERENCE), expiresAt, null);
  }

  private static TenantProfile profile(TenantReply reply) {
    return assertInstanceOf(TenantReply.ProfileIs.class, reply).profile();
  }

  private static <T> T requireNonNull(@org.jspecify.annotations.Nullable T value) {
    return java.util.Objects.requireNonNull(value);
  }

  static TenantSpec spec(String displayName) {
    return TenantSpecReaderTest.value(
        TenantSpecReader.read(Json.object().put("display_name", displayName), ACME, Catalog.EMPTY));
  }

  private static TenantSpec prompts(Map<String, String> prompts) {
    com.fasterxml.jackson.databind.node.ObjectNode body = Json.object();
    prompts.forEach(body.putObject("prompts")::put);
    return TenantSpecReaderTest.value(TenantSpecReader.read(body, ACME, Catalog.EMPTY));
  }

  static NewKey newKey(int number) {
    return new NewKey("%012d".formatted(number), "%064x".formatted(number));
  }

  private String request() {
    return "request-" + ++requests;
  }
}
