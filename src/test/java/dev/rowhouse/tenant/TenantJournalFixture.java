package dev.rowhouse.tenant;

import dev.rowhouse.JournalFiles;
import dev.rowhouse.tenant.PromptShelf.Deleted;
import dev.rowhouse.tenant.PromptShelf.History;
import dev.rowhouse.tenant.PromptShelf.History.Saved;
import dev.rowhouse.tenant.TenantProfile.CacheSettings;
import dev.rowhouse.tenant.TenantProfile.RetrievalSettings;
import dev.rowhouse.tenant.TenantProfile.Status;
import dev.rowhouse.tenant.TenantSpec.PromptText;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is in the tenant room's journals, as values by the names of their files; {@code main}, given
 * src/test/resources, writes those that are missing. Each value is spelt out, without a default or
 * a rule of the program, which may change while a journal does not.
 */
final class TenantJournalFixture {
  private static final TenantId ACME = new TenantId("acme");
  private static final Instant AT = Instant.parse("2026-03-10T12:00:00.123456789Z");
  private static final Instant LATER = Instant.parse("2026-04-09T12:00:00Z");

  private static final Limits NO_LIMITS = new Limits(null, null, null, null, null, null);
  private static final Limits ALL_LIMITS =
      new Limits(600L, 4_000_000_000L, 32L, 9_876_543_210L, 1_250.5, 64L);

  private static final KeyEntry FULL_KEY =
      new KeyEntry(
          "k7",
          "0a1b".repeat(16),
          "ci büro",
          EnumSet.allOf(Scope.class),
          AT,
          LATER,
          null,
          List.of());
  private static final KeyEntry LEAST_KEY =
      new KeyEntry("k8", "f9e8".repeat(16), "", Set.of(), AT, null, null, List.of());

  private static final TenantSpec FULL_SPEC =
      new TenantSpec(
          "Acme ü",
          "standard",
          2.5,
          ALL_LIMITS,
          3,
          0,
          "small",
          List.of("small", "large"),
          Map.of("fast", "small", "good", "large"),
          Map.of("large", List.of("small", "tiny")),
          Map.of(
              "greeting",
              new PromptText("Hello {{name}}", "the first words"),
              "bare",
              new PromptText("{{passages}}", null)),
          new CacheSettings("semantic", 0.93, 7_200, 500),
          new RetrievalSettings(List.of("default", "manuals"), 7),
          true,
          null);
  private static final TenantSpec LEAST_SPEC =
      new TenantSpec(
          null,
          null,
          null,
          NO_LIMITS,
          0,
          0,
          null,
          List.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          new CacheSettings("off", 0, 0, 0),
          new RetrievalSettings(List.of(), 0),
          false,
          null);

  private static final Plan FULL_PLAN = new Plan("gold", 4.5, ALL_LIMITS, 30_000);
  private static final Plan LEAST_PLAN = new Plan("free", 1, NO_LIMITS, 0);
  private static final ModelSpec FULL_MODEL =
      new ModelSpec(
          "large",
          "openai",
          "http://127.0.0.1:9000/v1",
          "large-2026-01",
          "env:LARGE_KEY",
          0,
          12,
          3.25,
          15,
          1,
          4,
          "eu",
          ACME,
          Estimator.MOVING_MEAN);
  private static final ModelSpec LEAST_MODEL =
      new ModelSpec(
          "small",
          "embedded",
          null,
          null,
          null,
          2,
          null,
          0,
          0,
          0.5,
          1,
          null,
          null,
          Estimator.MOVING_MEAN);

  /** The second version: reservations by share, and estimators. */
  private static final TenantSpec SHARE_SPEC =
      new TenantSpec(
          null,
          null,
          null,
          NO_LIMITS,
          0,
          0.25,
          null,
          List.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          new CacheSettings("off", 0, 0, 0),
          new RetrievalSettings(List.of(), 0),
          false,
          null);

  /** The third version: a time zone, limits of keys, marks of budgets. */
  private static final TenantSpec ZONED_SPEC =
      new TenantSpec(
          null,
          null,
          null,
          NO_LIMITS,
          0,
          0,
          null,
          List.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          new CacheSettings("off", 0, 0, 0),
          new RetrievalSettings(List.of(), 0),
          false,
          "Asia/Kathmandu");

  private static final ModelSpec DECLARING_MODEL =
      new ModelSpec(
          "long",
          "embedded",
          null,
          null,
          null,
          2,
          null,
          0,
          0,
          0.5,
          1,
          null,
          null,
          Estimator.MAX_TOKENS);

  private TenantJournalFixture() {}

  static Map<String, Object> all() {
    Map<String, Object> all = new LinkedHashMap<>();
    tenantEvents().forEach((name, value) -> all.put("journal-v1/tenant-" + name, value));
    tenants().forEach((name, value) -> all.put("journal-v1/tenant-snapshot-" + name, value));
    catalogEvents().forEach((name, value) -> all.put("journal-v1/catalog-" + name, value));
    catalogs().forEach((name, value) -> all.put("journal-v1/catalog-snapshot-" + name, value));
    all.put(
        "journal-v2/tenant-configured", new TenantEvent.Configured(ACME, "r-2", AT, SHARE_SPEC));
    all.put("journal-v2/catalog-model-put", new CatalogEvent.ModelPut("r-3", DECLARING_MODEL));
    ReservationClaim slots = new ReservationClaim(3, 0, List.of("large", "small"), 7);
    ReservationClaim share = new ReservationClaim(0, 0.25, List.of(), 0);
    all.put("journal-v2/catalog-reserved", new CatalogEvent.Reserved("r-5", ACME, slots));
    all.put("journal-v2/catalog-reserved-share", new CatalogEvent.Reserved("r-5", ACME, share));
    all.put("journal-v2/catalog-released", new CatalogEvent.Released("r-6", ACME));
    all.put(
        "journal-v2/catalog-snapshot-full",
        new CatalogOverrides(
            18,
            Map.of("long", DECLARING_MODEL),
            Map.of(),
            List.of("r-5"),
            Map.of("acme", slots, "globex", share)));
    KeyEntry limited =
        new KeyEntry(
            "k9",
            "0a1b".repeat(16),
            "limited",
            Set.of(Scope.INFERENCE),
            AT,
            null,
            new Limits(5L, null, 2L, 1_000L, 12.5, null),
            List.of("k7", "k8"));
    BudgetMark mark = new BudgetMark(BudgetMark.SPEND, "k9", "2026-03", 80, 12_500_000);
    all.put("journal-v3/tenant-key-changed", new TenantEvent.KeyChanged(ACME, "r-7", AT, limited));
    all.put(
        "journal-v3/tenant-budget-marked", new TenantEvent.BudgetMarked(ACME, mark.id(), AT, mark));
    all.put(
        "journal-v3/tenant-snapshot-marked",
        new Tenant(
            ACME,
            44,
            Status.ACTIVE,
            ZONED_SPEC,
            new PromptShelf(Map.of(), List.of()),
            new KeyRing(Map.of("k9", limited), Set.of()),
            List.of("r-1"),
            new Tenant.Onboarding("r-1", "k7", AT),
            null,
            List.of(new BudgetMark.Reached(mark, LATER))));
    return all;
  }

  private static Map<String, TenantEvent> tenantEvents() {
    Map<String, TenantEvent> events = new LinkedHashMap<>();
    events.put("onboarded", new TenantEvent.Onboarded(ACME, "r-1", AT, FULL_SPEC, FULL_KEY));
    events.put(
        "onboarded-least", new TenantEvent.Onboarded(ACME, "r-1", AT, LEAST_SPEC, LEAST_KEY));
    events.put("configured", new TenantEvent.Configured(ACME, "r-2", AT, FULL_SPEC));
    events.put("suspended", new TenantEvent.Suspended(ACME, "r-3", AT));
    events.put("resumed", new TenantEvent.Resumed(ACME, "r-4", AT));
    events.put("offboarded", new TenantEvent.Offboarded(ACME, "r-5", AT));
    events.put("key-created", new TenantEvent.KeyCreated(ACME, "r-6", AT, FULL_KEY));
    events.put("key-revoked", new TenantEvent.KeyRevoked(ACME, "r-7", AT, "k7"));
    events.put("key-rotated", new TenantEvent.KeyRotated(ACME, "r-8", AT, "k7", LATER, LEAST_KEY));
    events.put(
        "prompt-saved",
        new TenantEvent.PromptSaved(
            ACME, "r-9", AT, "greeting", 3, "Hello {{name}}\n{{passages}} ü", "the first words"));
    events.put(
        "prompt-saved-least",
        new TenantEvent.PromptSaved(ACME, "r-9", AT, "bare", 1, "{{passages}}", null));
    events.put("prompt-deleted", new TenantEvent.PromptDeleted(ACME, "r-10", AT, "greeting"));
    return events;
  }

  private static Map<String, Tenant> tenants() {
    PromptShelf prompts =
        new PromptShelf(
            Map.of(
                "greeting",
                new History(
                    List.of(
                        new Saved(new PromptTemplate("greeting", 2, "Hello", null), AT),
                        new Saved(
                            new PromptTemplate("greeting", 3, "Hello {{name}}", "the first words"),
                            LATER)))),
            List.of(new Deleted("bare", 4), new Deleted("old", 1)));
    KeyRing keys = new KeyRing(Map.of("k7", FULL_KEY, "k8", LEAST_KEY), Set.of("k7"));
    Tenant.Onboarding onboarding = new Tenant.Onboarding("r-1", "k7", AT);
    PromptShelf noPrompts = new PromptShelf(Map.of(), List.of());
    KeyRing noKeys = new KeyRing(Map.of(), Set.of());
    List<String> handled = List.of("r-1", "r-2");
    Map<String, Tenant> tenants = new LinkedHashMap<>();
    tenants.put(
        "active",
        new Tenant(
            ACME,
            42,
            Status.ACTIVE,
            FULL_SPEC,
            prompts,
            keys,
            handled,
            onboarding,
            null,
            List.of()));
    tenants.put(
        "suspended",
        new Tenant(
            ACME,
            43,
            Status.SUSPENDED,
            LEAST_SPEC,
            prompts,
            keys,
            handled,
            onboarding,
            null,
            List.of()));
    tenants.put(
        "offboarded",
        new Tenant(
            ACME,
            4_000_000_000L,
            Status.OFFBOARDED,
            LEAST_SPEC,
            noPrompts,
            noKeys,
            handled,
            onboarding,
            new Tenant.Ending(LATER, 2, 1),
            List.of()));
    tenants.put(
        "unknown",
        new Tenant(ACME, 0, null, LEAST_SPEC, noPrompts, noKeys, List.of(), null, null, List.of()));
    return tenants;
  }

  private static Map<String, CatalogEvent> catalogEvents() {
    Map<String, CatalogEvent> events = new LinkedHashMap<>();
    events.put("plan-put", new CatalogEvent.PlanPut("r-1", FULL_PLAN));
    events.put("plan-put-least", new CatalogEvent.PlanPut("r-1", LEAST_PLAN));
    events.put("plan-deleted", new CatalogEvent.PlanDeleted("r-2", "gold"));
    events.put("model-put", new CatalogEvent.ModelPut("r-3", FULL_MODEL));
    events.put("model-put-least", new CatalogEvent.ModelPut("r-3", LEAST_MODEL));
    events.put("model-deleted", new CatalogEvent.ModelDeleted("r-4", "large"));
    return events;
  }

  private static Map<String, CatalogOverrides> catalogs() {
    return Map.of(
        "full",
        new CatalogOverrides(
            17,
            Map.of("large", FULL_MODEL, "small", LEAST_MODEL),
            Map.of("gold", FULL_PLAN, "free", LEAST_PLAN),
            List.of("r-1", "r-3"),
            Map.of()),
        "none",
        new CatalogOverrides(0, Map.of(), Map.of(), List.of(), Map.of()));
  }

  public static void main(String[] arguments) throws IOException {
    JournalFiles.writeMissing(Path.of(arguments[0]), all());
  }
}
