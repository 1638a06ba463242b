package dev.rowhouse.tenant;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything that serving needs to know of a tenant, as one immutable value.
 *
 * @param version the sequence number of the tenant's record that this profile shows
 * @param limits the tenant's own limits only; the plan fills what they leave open
 * @param weight the tenant's own weight; absent: the plan's
 * @param reservationSlots slots of each pool that are the tenant's even under contention; 0 when a
 *     share is reserved, or nothing
 * @param reservationShare the part of each pool's slots that is, 0 to 0.8; 0 when slots are
 *     reserved, or nothing
 * @param defaultModel the model of a request that names none
 * @param allowedModels names that the tenant may ask for; empty: every model that exists for it
 * @param aliases names of the tenant's own for models
 * @param fallbacks per model, what to try in order when it fails
 * @param prompts the newest version of each template
 * @param timeZone in which the tenant's months begin and end, an IANA name; absent: the house's
 * @param marks parts of budgets that were reached this month, or in the last month that had any
 */
public record TenantProfile(
    TenantId tenant,
    long version,
    Status status,
    @Nullable String displayName,
    String plan,
    @Nullable Double weight,
    Limits limits,
    int reservationSlots,
    double reservationShare,
    @Nullable String defaultModel,
    List<String> allowedModels,
    Map<String, String> aliases,
    Map<String, List<String>> fallbacks,
    Map<String, PromptTemplate> prompts,
    CacheSettings cache,
    RetrievalSettings retrieval,
    boolean contentLog,
    @Nullable String timeZone,
    Map<String, KeyEntry> keys,
    List<BudgetMark.Reached> marks,
    Instant createdAt) {

  public TenantProfile {
    allowedModels = List.copyOf(allowedModels);
    aliases = Map.copyOf(aliases);
    fallbacks = Map.copyOf(fallbacks);
    prompts = Map.copyOf(prompts);
    keys = Map.copyOf(keys);
    marks = List.copyOf(marks);
  }

  public Reservation reservation() {
    return new Reservation(reservationSlots, reservationShare);
  }

  public enum Status {
    ACTIVE,
    SUSPENDED,
    OFFBOARDED
  }

  /**
   * How answers are cached.
   *
   * @param mode {@code off}, {@code exact} or {@code semantic}
   * @param threshold cosine from which a semantic hit counts
   * @param ttlSeconds how long an entry lives
   * @param entries how many entries a tenant may keep
   */
  public record CacheSettings(String mode, double threshold, long ttlSeconds, int entries) {}

  /**
   * What is retrieved when a request says nothing about it.
   *
   * @param stores the stores that a request searches when it names none
   * @param topK passages for a prompt
   */
  public record RetrievalSettings(List<String> stores, int topK) {
    public RetrievalSettings {
      stores = List.copyOf(stores);
    }
  }
}
