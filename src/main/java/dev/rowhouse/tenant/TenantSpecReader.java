package dev.rowhouse.tenant;

import static dev.rowhouse.tenant.TenantSpec.DEFAULTS;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantProfile.CacheSettings;
import dev.rowhouse.tenant.TenantProfile.RetrievalSettings;
import dev.rowhouse.tenant.TenantSpec.PromptText;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of {@code PUT} and {@code PATCH /admin/tenants/{id}}. Every field is optional;
 * an unknown one, nested too, is an error that names it.
 */
public final class TenantSpecReader {
  /** As long as the names that upstreams give, with room. */
  static final int MODEL_NAME_LENGTH_MAX = 128;

  /** Beyond it a number is a typing error, and sums of it could overflow. */
  static final long LIMIT_MAX = 1_000_000_000_000L;

  static final double WEIGHT_MAX = 10_000;

  /** Nobody runs more: the whole cluster has fewer slots of one model. */
  static final int RESERVATION_SLOTS_MAX = 10_000;

  private static final Set<String> CACHE_MODES = Set.of("off", "exact", "semantic");
  private static final int STORE_NAME_LENGTH_MAX = 64;
  private static final int TIME_ZONE_LENGTH_MAX = 64;

  private final @Nullable Catalog catalog;
  private final TenantId tenant;

  /** Whether the body is a patch, whose objects need not be whole. */
  private final boolean partial;

  private TenantSpecReader(TenantId tenant, @Nullable Catalog catalog, boolean partial) {
    this.tenant = tenant;
    this.catalog = catalog;
    this.partial = partial;
  }

  /** The whole body of a PUT; plans and models that it names must exist for that tenant. */
  public static Checked<TenantSpec> read(JsonNode body, TenantId tenant, Catalog catalog) {
    return new TenantSpecReader(tenant, catalog, false).read(body);
  }

  /**
   * A merge patch (RFC 7396), checked as far as it can be without the tenant: fields, types,
   * ranges, and that the plans and models that it names exist. Null resets a field.
   */
  public static Checked<TenantPatch> readPatch(JsonNode body, TenantId tenant, Catalog catalog) {
    return switch (new TenantSpecReader(tenant, catalog, true).read(body)) {
      case Checked.Bad<TenantSpec>(List<FieldError> errors) -> new Checked.Bad<>(errors);
      case Checked.Good<TenantSpec> _ -> new Checked.Good<>(new TenantPatch(body.toString()));
    };
  }

  /**
   * That spec with the patch merged in. The catalog is not asked again: a model that went away must
   * not stop an unrelated change.
   */
  static Checked<TenantSpec> merge(TenantId tenant, TenantSpec spec, TenantPatch patch) {
    ObjectNode merged = TenantJson.spec(spec);
    JsonNode changes = Json.read(patch.json());
    forgetTheOtherReservation(merged, changes);
    Json.mergePatch(merged, changes);
    return new TenantSpecReader(tenant, null, false).read(merged);
  }

  /**
   * What the tenant would have reserved after that patch, as far as the patch is well formed; null:
   * nothing. The record decides; this is for asking whether it fits before.
   */
  public static @Nullable ReservationClaim claimAfter(TenantProfile profile, TenantPatch patch) {
    ObjectNode merged = TenantJson.profile(profile);
    JsonNode changes = Json.read(patch.json());
    forgetTheOtherReservation(merged, changes);
    Json.mergePatch(merged, changes);
    FieldReader in = FieldReader.of(merged);
    Reservation reservation = reservation(in);
    FieldReader models = in.object("models");
    List<String> allowed =
        models.texts("allow", TenantSpec.ALLOWED_MODELS_MAX, MODEL_NAME_LENGTH_MAX);
    Map<String, String> aliases =
        models.entries(
            "aliases",
            TenantSpec.ALIASES_MAX,
            MODEL_NAME_LENGTH_MAX,
            (entries, alias) -> entries.text(alias, MODEL_NAME_LENGTH_MAX));
    return in.isClean() ? ReservationClaim.of(reservation, allowed, aliases, 0) : null;
  }

  /** Whether a patch may change what is reserved, or where. */
  public static boolean touchesReservation(TenantPatch patch) {
    JsonNode changes = Json.read(patch.json());
    return changes.has("reservation") || changes.has("models");
  }

  /** A patch from slots to a share, or back, need not take the old one away by a null. */
  private static void forgetTheOtherReservation(ObjectNode merged, JsonNode changes) {
    if (merged.get("reservation") instanceof ObjectNode before) {
      JsonNode after = changes.path("reservation");
      if (after.hasNonNull("share")) {
        before.remove("slots");
      } else if (after.hasNonNull("slots")) {
        before.remove("share");
      }
    }
  }

  private Checked<TenantSpec> read(JsonNode body) {
    FieldReader in = FieldReader.of(body);
    FieldReader models = in.object("models");
    Reservation reservation = reservation(in);
    TenantSpec spec =
        new TenantSpec(
            in.text("display_name", TenantSpec.DISPLAY_NAME_LENGTH_MAX),
            plan(in),
            in.positive("weight", WEIGHT_MAX),
            limits(in.object("limits")),
            reservation.slots(),
            reservation.share(),
            defaultModel(models),
            allowed(models),
            models.entries(
                "aliases", TenantSpec.ALIASES_MAX, MODEL_NAME_LENGTH_MAX, this::aliasTarget),
            models.entries(
                "fallbacks", TenantSpec.FALLBACKS_MAX, MODEL_NAME_LENGTH_MAX, this::fallbacks),
            in.entries(
                "prompts", PromptShelf.PROMPTS_MAX, PromptShelf.NAME_LENGTH_MAX, this::prompt),
            cache(in.object("cache")),
            retrieval(in.object("retrieval")),
            in.flag("content_log", false),
            timeZone(in));
    checkRoutes(models, spec);
    models.close();
    in.close();
    return in.isClean() ? new Checked.Good<>(spec) : in.bad();
  }

  private static @Nullable String timeZone(FieldReader in) {
    String zone = in.text("time_zone", TIME_ZONE_LENGTH_MAX);
    if (zone != null && !ZoneId.getAvailableZoneIds().contains(zone)) {
      in.error("time_zone", "must be an IANA time zone such as Europe/Berlin or UTC");
    }
    return zone;
  }

  private @Nullable String plan(FieldReader in) {
    String plan = in.text("plan", PlanReader.NAME_LENGTH_MAX);
    if (plan != null && catalog != null && catalog.plan(plan) == null) {
      in.error("plan", "there is no plan " + plan);
    }
    return plan;
  }

  static Limits limits(FieldReader in) {
    Limits limits =
        new Limits(
            in.integer("requests_per_minute", 0, LIMIT_MAX),
            in.integer("tokens_per_minute", 0, LIMIT_MAX),
            in.integer("concurrent_requests", 0, LIMIT_MAX),
            in.integer("tokens_per_month", 0, LIMIT_MAX),
            in.number("spend_per_month", 0, LIMIT_MAX),
            in.integer("queue_length", 0, 1_000_000));
    in.close();
    return limits;
  }

  private static Reservation reservation(FieldReader body) {
    FieldReader in = body.object("reservation");
    Long slots = in.integer("slots", 1, RESERVATION_SLOTS_MAX);
    Double share = in.positive("share", Reservation.SHARE_MAX);
    if (in.node("slots") != null && in.node("share") != null) {
      in.error("share", "excludes slots: a reservation is slots of each pool or a share of it");
      return Reservation.NONE;
    }
    in.close();
    return new Reservation(slots == null ? 0 : Math.toIntExact(slots), share == null ? 0 : share);
  }

  private @Nullable String defaultModel(FieldReader models) {
    return models.text("default", MODEL_NAME_LENGTH_MAX);
  }

  private List<String> allowed(FieldReader models) {
    List<String> allowed =
        models.texts("allow", TenantSpec.ALLOWED_MODELS_MAX, MODEL_NAME_LENGTH_MAX);
    for (int i = 0; i < allowed.size(); i++) {
      requireModel(models, "allow[" + i + "]", allowed.get(i));
    }
    return allowed;
  }

  private @Nullable String aliasTarget(FieldReader aliases, String alias) {
    String target = aliases.text(alias, MODEL_NAME_LENGTH_MAX);
    if (target != null) {
      requireModel(aliases, alias, target);
    }
    return target;
  }

  private @Nullable List<String> fallbacks(FieldReader in, String model) {
    if (in.node(model) == null) {
      return null;
    }
    List<String> chain = in.texts(model, TenantSpec.FALLBACK_CHAIN_MAX, MODEL_NAME_LENGTH_MAX);
    for (int i = 0; i < chain.size(); i++) {
      if (chain.get(i).equals(model)) {
        in.error(model + "[" + i + "]", "a model cannot be its own fallback");
      }
      requireModel(in, model + "[" + i + "]", chain.get(i));
    }
    return chain;
  }

  /** The default may be an alias, so it is looked at when the aliases are known. */
  private void checkRoutes(FieldReader models, TenantSpec spec) {
    String model = spec.defaultModel();
    // The alias of a patch's default may be one that the tenant has already.
    if (model != null && !partial && !spec.aliases().containsKey(model)) {
      requireModel(models, "default", model);
    }
  }

  /** Another tenant's model is answered as one that never was. */
  private void requireModel(FieldReader in, String field, String name) {
    if (catalog == null) {
      return;
    }
    ModelSpec model = catalog.model(name);
    if (model == null || !model.existsFor(tenant)) {
      in.error(field, "there is no model " + name);
    }
  }

  private @Nullable PromptText prompt(FieldReader prompts, String name) {
    JsonNode node = prompts.node(name);
    if (node == null) {
      return null;
    }
    if (!PromptShelf.isName(name)) {
      prompts.error(name, "is not a name of a prompt: letters, digits, '.', '-' and '_' only");
      return null;
    }
    if (node.isTextual()) {
      return prompt(prompts, name, null);
    }
    if (!node.isObject()) {
      prompts.error(name, "must be the template, or an object with template and description");
      return null;
    }
    FieldReader in = prompts.object(name);
    String description = in.text("description", PromptShelf.DESCRIPTION_LENGTH_MAX);
    if (in.node("template") == null) {
      if (!partial) {
        in.error("template", "is missing");
      }
      in.close();
      return null;
    }
    PromptText prompt = prompt(in, "template", description);
    in.close();
    return prompt;
  }

  private static @Nullable PromptText prompt(
      FieldReader in, String field, @Nullable String description) {
    String template = in.text(field, PromptShelf.TEMPLATE_LENGTH_MAX);
    if (template == null) {
      return null;
    }
    PromptRenderer.Fault fault = PromptRenderer.check(template);
    if (fault != null) {
      in.error(field, fault.message());
      return null;
    }
    return new PromptText(template, description);
  }

  private static CacheSettings cache(FieldReader in) {
    String mode = in.text("mode", 16);
    if (mode != null && !CACHE_MODES.contains(mode)) {
      in.error("mode", "must be off, exact or semantic");
    }
    CacheSettings defaults = DEFAULTS.cache();
    Long ttlSeconds = in.integer("ttl_seconds", 1, TenantSpec.CACHE_TTL_SECONDS_MAX);
    CacheSettings cache =
        new CacheSettings(
            mode == null ? defaults.mode() : mode,
            in.number("threshold", 0, 1, defaults.threshold()),
            ttlSeconds == null ? defaults.ttlSeconds() : ttlSeconds,
            in.integer("entries", 0, TenantSpec.CACHE_ENTRIES_MAX, defaults.entries()));
    in.close();
    return cache;
  }

  private static RetrievalSettings retrieval(FieldReader in) {
    List<String> stores =
        in.node("stores") == null
            ? DEFAULTS.retrieval().stores()
            : in.texts("stores", TenantSpec.STORES_MAX, STORE_NAME_LENGTH_MAX);
    int topK = in.integer("top_k", 1, TenantSpec.TOP_K_MAX, DEFAULTS.retrieval().topK());
    in.close();
    return new RetrievalSettings(stores, topK);
  }
}
