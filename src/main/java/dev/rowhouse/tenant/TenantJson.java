package dev.rowhouse.tenant;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantProfile.CacheSettings;
import dev.rowhouse.tenant.TenantProfile.RetrievalSettings;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How this room's values look in answers of the operator plane. Hashes of keys never leave the
 * house; of an upstream's key only the reference shows.
 */
public final class TenantJson {
  private TenantJson() {}

  /** The answer of {@code GET /admin/tenants/{id}}. */
  public static ObjectNode profile(TenantProfile profile) {
    ObjectNode json = Json.object();
    json.put("tenant", profile.tenant().value());
    json.put("status", profile.status().name().toLowerCase(Locale.ROOT));
    json.put("version", profile.version());
    json.put("created_at", profile.createdAt().toString());
    json.put("display_name", profile.displayName());
    json.put("plan", profile.plan());
    json.put("weight", profile.weight());
    json.set("limits", limits(profile.limits()));
    json.set("reservation", reservation(profile.reservation()));
    json.set(
        "models",
        models(
            profile.defaultModel(),
            profile.allowedModels(),
            profile.aliases(),
            profile.fallbacks()));
    ObjectNode prompts = json.putObject("prompts");
    new TreeMap<>(profile.prompts()).forEach((name, prompt) -> prompts.set(name, prompt(prompt)));
    json.set("cache", cache(profile.cache()));
    json.set("retrieval", retrieval(profile.retrieval()));
    json.put("content_log", profile.contentLog());
    json.put("time_zone", profile.timeZone());
    ArrayNode marks = json.putArray("budget_marks");
    profile.marks().forEach(reached -> marks.add(mark(reached)));
    ArrayNode keys = json.putArray("keys");
    profile.keys().values().stream()
        .sorted(Comparator.comparing(KeyEntry::createdAt).thenComparing(KeyEntry::id))
        .forEach(key -> keys.add(key(key)));
    return json;
  }

  /** A tenant as the list of tenants shows it. */
  public static ObjectNode row(TenantDirectory.Row row) {
    ObjectNode json = Json.object();
    json.put("tenant", row.tenant().value());
    json.put("status", row.status().name().toLowerCase(Locale.ROOT));
    json.put("plan", row.plan());
    json.put("display_name", row.displayName());
    json.put("created_at", row.createdAt().toString());
    json.put("updated_at", row.updatedAt().toString());
    return json;
  }

  /** A key as a list of keys shows it. */
  public static ObjectNode key(KeyEntry key) {
    ObjectNode json = Json.object();
    json.put("id", key.id());
    json.put("name", key.name());
    ArrayNode scopes = json.putArray("scopes");
    key.scopes().stream().sorted().forEach(scope -> scopes.add(scope.label()));
    json.put("created_at", key.createdAt().toString());
    json.put("expires_at", text(key.expiresAt()));
    Limits own = key.limits();
    if (own != null) {
      json.set("limits", keyLimits(own));
    }
    return json;
  }

  static ObjectNode keyLimits(Limits own) {
    ObjectNode limits = limits(own);
    limits.remove("queue_length");
    return limits;
  }

  /** A part of a budget that was reached. */
  public static ObjectNode mark(BudgetMark.Reached reached) {
    BudgetMark mark = reached.mark();
    ObjectNode json = Json.object();
    json.put("limit", mark.limit());
    json.put("key", mark.key());
    json.put("month", mark.month());
    json.put("percent", mark.percent());
    if (mark.limit().equals(BudgetMark.SPEND)) {
      json.put("budget", mark.budget() / 1e6);
    } else {
      json.put("budget", mark.budget());
    }
    json.put("reached_at", reached.at().toString());
    return json;
  }

  public static ObjectNode prompt(PromptTemplate prompt) {
    ObjectNode json = Json.object();
    json.put("name", prompt.name());
    json.put("version", prompt.version());
    json.put("template", prompt.template());
    json.put("description", prompt.description());
    return json;
  }

  /** The answer of {@code GET /admin/plans/{name}}; {@link PlanReader} reads it back. */
  public static ObjectNode plan(Plan plan) {
    ObjectNode json = Json.object();
    json.put("name", plan.name());
    json.put("weight", plan.weight());
    json.set("limits", limits(plan.limits()));
    json.put("queue_timeout_ms", plan.queueTimeoutMillis());
    return json;
  }

  /** The answer of {@code GET /admin/models/{name}}; {@link ModelReader} reads it back. */
  public static ObjectNode model(ModelSpec model) {
    ObjectNode json = Json.object();
    json.put("name", model.name());
    json.put("engine", model.engine());
    json.put("base_url", model.baseUrl());
    json.put("upstream_model", model.upstreamModel());
    json.put("api_key_ref", model.apiKeyRef());
    if (model.slotsTotal() != null) {
      json.put("slots_total", model.slotsTotal());
    } else {
      json.put("slots", model.slots());
    }
    json.putObject("price")
        .put("input_per_million", model.inputPerMillion())
        .put("output_per_million", model.outputPerMillion());
    json.putObject("weights").put("input", model.inputWeight()).put("output", model.outputWeight());
    json.put("estimator", model.estimator().label());
    json.put("region", model.region());
    TenantId owner = model.owner();
    json.put("owner", owner == null ? null : owner.value());
    return json;
  }

  /** What {@link TenantSpecReader} reads back into an equal spec. */
  static ObjectNode spec(TenantSpec spec) {
    ObjectNode json = Json.object();
    json.put("display_name", spec.displayName());
    json.put("plan", spec.plan());
    json.put("weight", spec.weight());
    json.set("limits", limits(spec.limits()));
    json.set("reservation", reservation(spec.reservation()));
    json.set(
        "models",
        models(spec.defaultModel(), spec.allowedModels(), spec.aliases(), spec.fallbacks()));
    ObjectNode prompts = json.putObject("prompts");
    spec.prompts()
        .forEach(
            (name, prompt) ->
                prompts
                    .putObject(name)
                    .put("template", prompt.template())
                    .put("description", prompt.description()));
    json.set("cache", cache(spec.cache()));
    json.set("retrieval", retrieval(spec.retrieval()));
    json.put("content_log", spec.contentLog());
    json.put("time_zone", spec.timeZone());
    return json;
  }

  private static @Nullable ObjectNode reservation(Reservation reservation) {
    if (reservation.slots() > 0) {
      return Json.object().put("slots", reservation.slots());
    }
    return reservation.share() > 0 ? Json.object().put("share", reservation.share()) : null;
  }

  private static ObjectNode limits(Limits limits) {
    ObjectNode json = Json.object();
    json.put("requests_per_minute", limits.requestsPerMinute());
    json.put("tokens_per_minute", limits.tokensPerMinute());
    json.put("concurrent_requests", limits.concurrentRequests());
    json.put("tokens_per_month", limits.tokensPerMonth());
    json.put("spend_per_month", limits.spendPerMonth());
    json.put("queue_length", limits.queueLength());
    return json;
  }

  private static ObjectNode models(
      @Nullable String defaultModel,
      List<String> allowed,
      Map<String, String> aliases,
      Map<String, List<String>> fallbacks) {
    ObjectNode json = Json.object();
    json.put("default", defaultModel);
    allowed.forEach(json.putArray("allow")::add);
    new TreeMap<>(aliases).forEach(json.putObject("aliases")::put);
    ObjectNode chains = json.putObject("fallbacks");
    new TreeMap<>(fallbacks).forEach((model, chain) -> chain.forEach(chains.putArray(model)::add));
    return json;
  }

  private static ObjectNode cache(CacheSettings cache) {
    ObjectNode json = Json.object();
    json.put("mode", cache.mode());
    json.put("threshold", cache.threshold());
    json.put("ttl_seconds", cache.ttlSeconds());
    json.put("entries", cache.entries());
    return json;
  }

  private static ObjectNode retrieval(RetrievalSettings retrieval) {
    ObjectNode json = Json.object();
    retrieval.stores().forEach(json.putArray("stores")::add);
    json.put("top_k", retrieval.topK());
    return json;
  }

  private static @Nullable String text(@Nullable Instant instant) {
    return instant == null ? null : instant.toString();
  }
}
