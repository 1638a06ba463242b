package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.MonthUse;
import dev.rowhouse.usage.SecondUse;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The limits of single keys, and months in a tenant's own time zone. */
class KeyLimitsTest {
  private static final long NOW = Samples.NOW;
  private static final Ask.Credential OTHER = new Ask.Credential("k2", Samples.KEY.secretSha256());

  private final ActorRef<Object> gateway = TestInbox.<Object>create().getRef();
  private final Profile profile = new Profile();

  private static Limits limits(
      @Nullable Long requests,
      @Nullable Long tokens,
      @Nullable Long concurrent,
      @Nullable Long monthTokens) {
    return new Limits(requests, tokens, concurrent, monthTokens, null, null);
  }

  /** A desk with a key k1 that has these limits, and one k2 that has none. */
  private Desk desk(@Nullable Limits own) {
    profile.limits = limits(100L, 100_000L, 50L, null);
    keys(profile.key("k1", own, List.of()), profile.key("k2", null, List.of()));
    return Samples.desk(profile.build());
  }

  private void keys(KeyEntry... entries) {
    Map<String, KeyEntry> keys = new java.util.HashMap<>();
    for (KeyEntry entry : entries) {
      keys.put(entry.id(), entry);
    }
    profile.keys = keys;
  }

  private Desk.Decision admit(Desk desk, Ask.Credential key, long nowMillis) {
    Request request = new Request();
    request.key = key;
    return desk.admit(request.build(), gateway, nowMillis);
  }

  private static InFlight accepted(Desk.Decision decision) {
    return assertInstanceOf(Desk.Decision.Accepted.class, decision).request();
  }

  private static Refusal refused(String code, Desk.Decision decision) {
    Refusal refusal = assertInstanceOf(Desk.Decision.Refused.class, decision).refusal();
    assertEquals(code, refusal.code());
    return refusal;
  }

  @Test
  void holdForThatKeyAloneAndSayWhoseTheyAre() {
    Desk desk = desk(limits(1L, null, null, null));
    accepted(admit(desk, Samples.KEY, NOW));
    Refusal refusal = refused("rate_limit_exceeded", admit(desk, Samples.KEY, NOW));
    assertTrue(refusal.message().contains("requests_per_minute of the key k1"), refusal.message());
    accepted(admit(desk, OTHER, NOW));
    assertEquals(2, desk.view("k2", NOW).requestsPerMinute().used());
  }

  @Test
  void areEnforcedBesideTheTenants() {
    Desk desk = desk(limits(null, null, 1L, null));
    InFlight first = accepted(admit(desk, Samples.KEY, NOW));
    refused("concurrency_exceeded", admit(desk, Samples.KEY, NOW));
    desk.settle(Samples.spent(first.attempt(), 10, 3, 0), NOW);
    accepted(admit(desk, Samples.KEY, NOW));
    for (int i = 0; i < 49; i++) {
      accepted(admit(desk, OTHER, NOW));
    }
    Refusal tenants = refused("concurrency_exceeded", admit(desk, OTHER, NOW));
    assertTrue(tenants.message().contains("Limit concurrent_requests reached"));
  }

  @Test
  void showTheTighterOfBothInTheHeadersAndEachInItsOwnRows() {
    Desk desk = desk(limits(5L, null, null, 1_000L));
    accepted(admit(desk, Samples.KEY, NOW));
    LimitsView view = desk.view("k1", NOW);
    assertEquals(5, view.requestsPerMinute().limit());
    assertEquals(100_000, view.tokensPerMinute().limit());
    LimitsView.Rows ofKey = view.key();
    assertNotNull(ofKey);
    assertEquals(new LimitsView.Row(5, 1, 61_000 - NOW % 1_000), ofKey.requestsPerMinute());
    assertNull(ofKey.tokensPerMinute());
    LimitsView.Row month = ofKey.tokensPerMonth();
    assertNotNull(month);
    assertEquals(30, month.used());
    assertNull(desk.view("k2", NOW).key(), "a key without limits of its own has no rows");
  }

  @Test
  void countWhatWasUsedBeforeTheyWereSet() {
    Desk desk = desk(null);
    InFlight first = accepted(admit(desk, Samples.KEY, NOW));
    desk.settle(Samples.spent(first.attempt(), 400, 100, 0), NOW);
    keys(profile.key("k1", limits(null, null, null, 510L), List.of()));
    desk.profile(profile.build());
    refused("budget_exhausted", admit(desk, Samples.KEY, NOW));
  }

  @Test
  void areContinuedFromTheLedgerAndOverRotations() {
    profile.limits = limits(100L, 100_000L, 50L, null);
    keys(profile.key("k3", limits(3L, null, null, 1_000L), List.of("k1", "k2")));
    Desk desk = Samples.desk(profile.build());
    List<SecondUse> second = List.of(new SecondUse(Math.floorDiv(NOW, 1_000L) - 5, 1, 100));
    desk.resume(
        Samples.opened(
            2,
            200,
            900,
            0,
            Map.of(
                "k1", new LedgerReply.KeyUsed(new MonthUse("2026-03", 1, 400, 0, 0), second),
                "k2", new LedgerReply.KeyUsed(new MonthUse("2026-03", 1, 500, 0, 0), second))),
        NOW);
    Ask.Credential rotated = new Ask.Credential("k3", Samples.KEY.secretSha256());
    accepted(admit(desk, rotated, NOW));
    LimitsView.Rows rows = desk.view("k3", NOW).key();
    assertNotNull(rows);
    LimitsView.Row month = rows.tokensPerMonth();
    assertNotNull(month);
    assertEquals(930, month.used(), "both predecessors, and what is reserved");
    refused("rate_limit_exceeded", admit(desk, rotated, NOW));
  }

  @Test
  void neverLeaveAReservationBehind() {
    Desk desk = desk(limits(null, 1_000L, 2L, 1_000L));
    for (int round = 0; round < 40; round++) {
      InFlight first = accepted(admit(desk, Samples.KEY, NOW));
      InFlight second = accepted(admit(desk, Samples.KEY, NOW));
      desk.leave(first.attempt(), NOW);
      desk.withdraw(second, NOW);
    }
    LimitsView.Rows rows = desk.view("k1", NOW).key();
    assertNotNull(rows);
    assertEquals(new LimitsView.Row(2, 0, 0), rows.concurrentRequests());
    assertEquals(0, desk.view("k1", NOW).tokensPerMinute().used());
    LimitsView.Row month = rows.tokensPerMonth();
    assertNotNull(month);
    assertEquals(0, month.used());
  }

  @Test
  void tellEachMarkOfABudgetOnce() {
    Desk desk = desk(limits(null, null, null, 1_000L));
    spend(desk, 799);
    assertEquals(List.of(), desk.marks("k1", NOW));
    spend(desk, 1);
    BudgetMark eighty = new BudgetMark(BudgetMark.TOKENS, "k1", "2026-03", 80, 1_000);
    assertEquals(List.of(eighty), desk.marks("k1", NOW));
    assertEquals(List.of(), desk.marks("k1", NOW));
    spend(desk, 150);
    assertEquals(
        List.of(new BudgetMark(BudgetMark.TOKENS, "k1", "2026-03", 95, 1_000)),
        desk.marks("k1", NOW));
    keys(profile.key("k1", limits(null, null, null, 1_100L), List.of()));
    desk.profile(profile.build());
    assertEquals(
        List.of(new BudgetMark(BudgetMark.TOKENS, "k1", "2026-03", 80, 1_100)),
        desk.marks("k1", NOW),
        "a budget that is changed is another one");
  }

  private static void spend(Desk desk, long tokens) {
    desk.settle(Samples.spent(Samples.attempt(), tokens, 0, 0), NOW);
  }

  @Test
  void ofAMonthEndWithItInTheTenantsTimeZone() {
    profile.limits = new Limits(100L, 100_000L, 50L, 100L, null, null);
    ZoneId auckland = ZoneId.of("Pacific/Auckland");
    Desk desk =
        new Desk(
            profile.build(),
            auckland,
            new CatalogReplica(Samples.catalog()),
            Samples.HOUSE,
            Samples.SMALL_COST_MAX);
    long lastOfMarch = Instant.parse("2026-03-31T10:59:59Z").toEpochMilli();
    InFlight first = accepted(admit(desk, Samples.KEY, lastOfMarch));
    desk.settle(Samples.spent(first.attempt(), "k1", 90, 0, 0), lastOfMarch);
    refused("budget_exhausted", admit(desk, Samples.KEY, lastOfMarch));
    accepted(admit(desk, Samples.KEY, lastOfMarch + 1_000));
  }

  @Test
  void ofAMonthAreCountedAnewWhenTheTimeZoneChanges() {
    profile.limits = new Limits(100L, 100_000L, 50L, 1_000L, null, null);
    Desk desk = Samples.desk(profile.build());
    InFlight open = accepted(admit(desk, Samples.KEY, NOW));
    spend(desk, 500);
    ZoneId auckland = ZoneId.of("Pacific/Auckland");
    desk.resumeIn(
        auckland,
        Samples.opened(0, 0, 300, 0),
        List.of(Samples.spent(Samples.attempt(), 7, 0, 0)),
        NOW);
    assertEquals(auckland, desk.zone());
    LimitsView.Row month = desk.view("k1", NOW).tenant().tokensPerMonth();
    assertNotNull(month);
    assertEquals(300 + 7 + 30, month.used(), "the ledger's, what it has not got yet, in flight");
    desk.settle(Samples.spent(open.attempt(), 1, 1, 0), NOW);
    LimitsView.Row after = desk.view("k1", NOW).tenant().tokensPerMonth();
    assertNotNull(after);
    assertEquals(309, after.used());
  }
}
