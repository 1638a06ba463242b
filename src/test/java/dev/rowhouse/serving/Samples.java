package dev.rowhouse.serving;

import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.KeyEntry;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.ModelSpec;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.PromptTemplate;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.usage.AttemptId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.MonthUse;
import dev.rowhouse.usage.SecondUse;
import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageRecord;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A tenant, its models and its requests, as the tests of this room need them. */
final class Samples {
  static final TenantId TENANT = new TenantId("acme");
  static final TenantId OTHER_TENANT = new TenantId("globex");
  static final long NOW = Instant.parse("2026-03-10T12:00:00Z").toEpochMilli();
  static final String SECRET = "ab".repeat(32);
  static final Ask.Credential KEY = new Ask.Credential("k1", SECRET);
  static final Limits LIMITS = new Limits(100L, 100_000L, 10L, null, null, 5L);

  /** Between the cost of the usual request here, 50, and that of a long one. */
  static final double SMALL_COST_MAX = 100;

  static final ModelSpec SMALL = model("small", null);
  static final ModelSpec LARGE = model("large", null);
  static final ModelSpec FOREIGN = model("foreign", OTHER_TENANT);
  static final Plan PLAN = new Plan("standard", 1, LIMITS, 30_000);
  static final HouseCatalog HOUSE =
      new HouseCatalog(
          Map.of("small", SMALL, "large", LARGE, "foreign", FOREIGN),
          Map.of("standard", PLAN),
          "standard",
          4);

  private static final RandomGenerator IDS = new Random(1);

  private Samples() {}

  static Catalog catalog() {
    return HOUSE.catalog();
  }

  static Desk desk(TenantProfile profile) {
    return new Desk(profile, ZoneOffset.UTC, new CatalogReplica(catalog()), HOUSE, SMALL_COST_MAX);
  }

  static synchronized String attempt() {
    return AttemptId.mint(Instant.ofEpochMilli(NOW), IDS);
  }

  static ModelSpec model(String name, @Nullable TenantId owner) {
    return new ModelSpec(
        name, ModelSpec.EMBEDDED, null, null, null, 4, null, 2.0, 6.0, 1, 2, null, owner);
  }

  static LedgerReply.Opened opened(long requests, long tokens, long monthTokens, long costMicros) {
    return opened(requests, tokens, monthTokens, costMicros, Map.of());
  }

  static LedgerReply.Opened opened(
      long requests,
      long tokens,
      long monthTokens,
      long costMicros,
      Map<String, LedgerReply.KeyUsed> keysUsed) {
    return new LedgerReply.Opened(
        "Z",
        Totals.NONE,
        new MonthUse("2026-03", 1, monthTokens, 0, costMicros),
        requests == 0
            ? List.of()
            : List.of(new SecondUse(Math.floorDiv(NOW, 1000L) - 1, requests, tokens)),
        keysUsed,
        Map.of(),
        List.of(),
        List.of());
  }

  /** What a run spent that was admitted at {@link #NOW} with the usual key. */
  static UsageRecord spent(String attempt, long inputTokens, long outputTokens, long costMicros) {
    return spent(attempt, "k1", inputTokens, outputTokens, costMicros);
  }

  static UsageRecord spent(
      String attempt, String key, long inputTokens, long outputTokens, long costMicros) {
    return new UsageRecord(
        attempt,
        NOW,
        key,
        "small",
        "small",
        inputTokens,
        outputTokens,
        UsageRecord.Status.COMPLETED,
        200,
        null,
        false,
        false,
        1,
        1,
        0,
        UsageRecord.MISS,
        null,
        costMicros,
        0);
  }

  /** A tenant's profile with everything usual but what a test sets. */
  static final class Profile {
    TenantProfile.Status status = TenantProfile.Status.ACTIVE;
    Limits limits = Limits.UNSET;
    @Nullable String defaultModel = "small";
    List<String> allowed = List.of();
    Map<String, String> aliases = Map.of();
    Map<String, List<String>> fallbacks = Map.of();
    Map<String, PromptTemplate> prompts = Map.of();
    Set<Scope> scopes = Set.of(Scope.INFERENCE);
    @Nullable Instant keyExpiresAt;
    @Nullable String timeZone;
    Map<String, KeyEntry> keys = Map.of();

    KeyEntry key(String id, @Nullable Limits own, List<String> replaced) {
      return new KeyEntry(id, SECRET, "first", scopes, Instant.EPOCH, keyExpiresAt, own, replaced);
    }

    TenantProfile build() {
      return new TenantProfile(
          TENANT,
          1,
          status,
          null,
          "standard",
          null,
          limits,
          0,
          0,
          defaultModel,
          allowed,
          aliases,
          fallbacks,
          prompts,
          new TenantProfile.CacheSettings("off", 0.9, 60, 10),
          new TenantProfile.RetrievalSettings(List.of(), 4),
          false,
          timeZone,
          keys.isEmpty() ? Map.of("k1", key("k1", null, List.of())) : keys,
          List.of(),
          Instant.EPOCH);
    }
  }

  /** A request with everything usual but what a test sets. */
  static final class Request {
    String attempt = Samples.attempt();
    Ask.Credential key = KEY;
    @Nullable String model = "small";
    long inputTokens = 10;
    @Nullable Long outputTokensMax = 20L;
    boolean stream;
    long receivedAtMillis = NOW;
    long deadlineMillis = NOW + 300_000;
    int priority;
    @Nullable String promptName;
    @Nullable Integer promptVersion;
    int bodyBytes = 2;
    @Nullable String label;

    Ask build() {
      return new Ask(
          attempt,
          key,
          model,
          inputTokens,
          outputTokensMax,
          stream,
          false,
          label,
          receivedAtMillis,
          deadlineMillis,
          priority,
          Ask.RetrievalChoice.OF_THE_TENANT,
          promptName,
          promptVersion,
          Map.of(),
          bodyBytes);
    }
  }
}
