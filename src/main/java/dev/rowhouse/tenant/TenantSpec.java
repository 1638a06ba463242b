package dev.rowhouse.tenant;

import dev.rowhouse.tenant.TenantProfile.CacheSettings;
import dev.rowhouse.tenant.TenantProfile.RetrievalSettings;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an operator has set for a tenant: the body of {@code PUT /admin/tenants/{id}}, read and
 * checked by {@link TenantSpecReader}.
 *
 * <p>Plan, weight, limits and default model that are absent follow the plan and the house at any
 * time; cache and retrieval are filled with the defaults of the day when they are set.
 *
 * @param reservationSlots slots of each pool that are the tenant's even under contention
 * @param reservationShare the part of each pool's slots that is; one of the two is 0
 * @param prompts the templates that the operator declares; the tenant may have more of its own
 * @param timeZone in which the tenant's months begin and end, an IANA name; absent: the house's
 */
public record TenantSpec(
    @Nullable String displayName,
    @Nullable String plan,
    @Nullable Double weight,
    Limits limits,
    int reservationSlots,
    double reservationShare,
    @Nullable String defaultModel,
    List<String> allowedModels,
    Map<String, String> aliases,
    Map<String, List<String>> fallbacks,
    Map<String, PromptText> prompts,
    CacheSettings cache,
    RetrievalSettings retrieval,
    boolean contentLog,
    @Nullable String timeZone) {

  static final int DISPLAY_NAME_LENGTH_MAX = 200;

  /** A record travels to every node that serves the tenant: it stays small. */
  static final int ALLOWED_MODELS_MAX = 200;

  static final int ALIASES_MAX = 100;
  static final int FALLBACKS_MAX = 50;

  /** A request tries its model and at most so many others: each costs the client time. */
  static final int FALLBACK_CHAIN_MAX = 5;

  static final int STORES_MAX = 20;

  /** The embedded cache of a tenant is in memory: 10,000 answers of 10 kB are 100 MB. */
  static final int CACHE_ENTRIES_MAX = 10_000;

  static final int CACHE_ENTRIES_DEFAULT = 1_000;
  static final long CACHE_TTL_SECONDS_MAX = 30L * 24 * 3600;
  static final long CACHE_TTL_SECONDS_DEFAULT = 3600;

  /** Paraphrases of one question lie above it with bge-small, different questions below. */
  static final double CACHE_THRESHOLD_DEFAULT = 0.95;

  static final int TOP_K_MAX = 50;
  static final int TOP_K_DEFAULT = 5;

  /** The store that every tenant has from onboarding on. */
  public static final String DEFAULT_STORE = "default";

  public static final TenantSpec DEFAULTS =
      new TenantSpec(
          null,
          null,
          null,
          Limits.UNSET,
          0,
          0,
          null,
          List.of(),
          Map.of(),
          Map.of(),
          Map.of(),
          new CacheSettings(
              "exact", CACHE_THRESHOLD_DEFAULT, CACHE_TTL_SECONDS_DEFAULT, CACHE_ENTRIES_DEFAULT),
          new RetrievalSettings(List.of(DEFAULT_STORE), TOP_K_DEFAULT),
          false,
          null);

  public TenantSpec {
    allowedModels = List.copyOf(allowedModels);
    aliases = Map.copyOf(aliases);
    fallbacks = Map.copyOf(fallbacks);
    prompts = Map.copyOf(prompts);
  }

  public Reservation reservation() {
    return new Reservation(reservationSlots, reservationShare);
  }

  /** A template as it was declared, without a version. */
  public record PromptText(String template, @Nullable String description) {}
}
