package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.FieldReader;
import dev.rowhouse.tenant.Reservation;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.TimeRange;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the body of a replay; what is wrong is told by field. */
public final class ReplayReader {
  private static final double PRICE_MAX = 1e9;
  private static final double WEIGHT_MAX = 10_000;
  private static final int SLOTS_MAX = 100_000;
  private static final int NAME_LENGTH_MAX = 200;
  private static final int TIME_LENGTH_MAX = 40;

  private final FieldReader body;
  private final ReplaySettings settings;

  private ReplayReader(FieldReader body, ReplaySettings settings) {
    this.body = body;
    this.settings = settings;
  }

  public static Checked<ReplayRequest> read(JsonNode json, ReplaySettings settings) {
    return new ReplayReader(FieldReader.of(json), settings).request();
  }

  private Checked<ReplayRequest> request() {
    String what = body.text("what", NAME_LENGTH_MAX);
    ReplayRequest.Scope scope = scope();
    ReplayRequest request =
        switch (what) {
          case "totals" -> new ReplayRequest.TotalsAgain(scope);
          case "price" ->
              new ReplayRequest.PriceAgain(scope, prices(), isKept(body.text("missing", 40)));
          case "what_if" -> new ReplayRequest.WhatIf(scope, changes(scope));
          case "export" -> new ReplayRequest.Export(scope, format());
          case null, default -> {
            if (what != null || body.isClean()) {
              body.error("what", "must be totals, price, what_if or export");
            }
            yield null;
          }
        };
    if (request != null) {
      body.close();
    }
    return request != null && body.isClean() ? new Checked.Good<>(request) : body.bad();
  }

  private ReplayRequest.Scope scope() {
    List<TenantId> tenants = new ArrayList<>();
    for (String name : body.texts("tenants", settings.tenantsMax(), NAME_LENGTH_MAX)) {
      TenantId tenant = tenant("tenants", name);
      if (tenant != null) {
        tenants.add(tenant);
      }
    }
    JsonNode given = body.node("tenants");
    if (given != null && given.isArray() && given.isEmpty()) {
      body.error("tenants", "must name a tenant; leave it out to mean all");
    }
    Instant from = time("from");
    Instant to = time("to");
    if (from != null && to != null) {
      if (!from.isBefore(to)) {
        body.error("to", "must be after from");
        return new ReplayRequest.Scope(tenants, TimeRange.ALL);
      }
      if (Duration.between(from, to).compareTo(settings.rangeMax()) > 0) {
        body.error(
            "from",
            "and to are more than "
                + settings.rangeMax().toDays()
                + " days apart; leave both out to read all there is");
      }
    }
    return new ReplayRequest.Scope(tenants, new TimeRange(from, to));
  }

  private @Nullable TenantId tenant(String field, String name) {
    if (!TenantId.isValid(name)) {
      body.error(field, "names '" + name + "', which no tenant can be called");
      return null;
    }
    return new TenantId(name);
  }

  private @Nullable Instant time(String field) {
    String text = body.text(field, TIME_LENGTH_MAX);
    if (text == null) {
      return null;
    }
    try {
      OffsetDateTime time = OffsetDateTime.parse(text);
      if (!time.getOffset().equals(ZoneOffset.UTC)) {
        body.error(
            field, "is in the zone " + time.getOffset() + "; write it in UTC: " + time.toInstant());
        return null;
      }
      return time.toInstant();
    } catch (DateTimeException e) {
      body.error(
          field,
          text.matches("[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+)?")
              ? "has no zone; write it in UTC, such as 2026-01-31T00:00:00Z"
              : "must be a time in UTC such as 2026-01-31T00:00:00Z");
      return null;
    }
  }

  private PriceList prices() {
    if (body.node("prices") == null) {
      body.error(
          "prices",
          "must be {\"models\": {\"NAME\": {\"input_per_million\": n, \"output_per_million\":"
              + " n}}}");
      return new PriceList(Map.of());
    }
    FieldReader prices = body.object("prices");
    Map<String, PriceList.Price> models =
        prices.entries("models", settings.entriesMax(), NAME_LENGTH_MAX, ReplayReader::price);
    if (models.isEmpty() && body.isClean()) {
      prices.error("models", "must name a model");
    }
    prices.close();
    return new PriceList(models);
  }

  private static PriceList.@Nullable Price price(FieldReader entries, String name) {
    FieldReader price = entries.object(name);
    Double input = price.number("input_per_million", 0, PRICE_MAX);
    Double output = price.number("output_per_million", 0, PRICE_MAX);
    if (input == null && price.node("input_per_million") == null) {
      price.error("input_per_million", "must be a number");
    }
    if (output == null && price.node("output_per_million") == null) {
      price.error("output_per_million", "must be a number");
    }
    price.close();
    return input == null || output == null ? null : new PriceList.Price(input, output);
  }

  private boolean isKept(@Nullable String missing) {
    if (missing == null || missing.equals("refuse")) {
      return false;
    }
    if (!missing.equals("keep_recorded")) {
      body.error("missing", "must be refuse or keep_recorded");
    }
    return true;
  }

  private ExportFormat format() {
    String format = body.text("format", NAME_LENGTH_MAX);
    if (format != null && !format.equals("cloudevents") && !format.equals("csv")) {
      body.error("format", "must be cloudevents or csv");
    }
    return "csv".equals(format) ? ExportFormat.CSV : ExportFormat.CLOUDEVENTS;
  }

  private Changes changes(ReplayRequest.Scope scope) {
    Map<TenantId, Double> weights = new HashMap<>();
    body.entries(
            "weights",
            settings.entriesMax(),
            NAME_LENGTH_MAX,
            (entries, name) -> weight(entries, name))
        .forEach((name, weight) -> put(weights, scope, "weights." + name, name, weight));
    Map<TenantId, Reservation> reservations = new HashMap<>();
    body.entries("reservations", settings.entriesMax(), NAME_LENGTH_MAX, ReplayReader::reservation)
        .forEach((name, one) -> put(reservations, scope, "reservations." + name, name, one));
    Map<String, Integer> slots = new HashMap<>();
    body.entries(
            "slots",
            settings.entriesMax(),
            NAME_LENGTH_MAX,
            (entries, name) -> entries.integer(name, 1L, (long) SLOTS_MAX))
        .forEach((name, count) -> slots.put(name, Math.toIntExact(count)));
    Long seed = body.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    return new Changes(
        weights, reservations, slots, estimator(), added(scope), seed == null ? 1 : seed);
  }

  private <T> void put(
      Map<TenantId, T> all, ReplayRequest.Scope scope, String field, String name, T value) {
    TenantId tenant = tenant(field, name);
    if (tenant != null) {
      inScope(scope, field, tenant);
      all.put(tenant, value);
    }
  }

  private void inScope(ReplayRequest.Scope scope, String field, TenantId tenant) {
    if (!scope.tenants().isEmpty() && !scope.tenants().contains(tenant)) {
      body.error(field, "names '" + tenant + "', which is not among tenants");
    }
  }

  private static @Nullable Double weight(FieldReader entries, String name) {
    Double weight = entries.number(name, 0, WEIGHT_MAX);
    if (weight != null && weight == 0) {
      entries.error(name, "must be greater than 0");
      return null;
    }
    return weight;
  }

  private static @Nullable Reservation reservation(FieldReader entries, String name) {
    FieldReader one = entries.object(name);
    Long slots = one.integer("slots", 0, SLOTS_MAX);
    Double share = one.number("share", 0, Reservation.SHARE_MAX);
    one.close();
    if (slots != null && share != null) {
      one.error("share", "and slots cannot both be reserved");
      return null;
    }
    return new Reservation(slots == null ? 0 : Math.toIntExact(slots), share == null ? 0.0 : share);
  }

  private Changes.@Nullable Estimate estimator() {
    String name = body.text("estimator", NAME_LENGTH_MAX);
    if (name == null) {
      return null;
    }
    for (Changes.Estimate one : Changes.Estimate.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(name)) {
        return one;
      }
    }
    body.error(
        "estimator",
        "must be zero, moving_mean or exact (what requests declared as max_tokens is not"
            + " recorded)");
    return null;
  }

  private List<Changes.Added> added(ReplayRequest.Scope scope) {
    JsonNode list = body.node("add");
    if (list == null) {
      return List.of();
    }
    if (!list.isArray() || list.size() > settings.entriesMax()) {
      body.error("add", "must be a list of at most " + settings.entriesMax() + " tenants");
      return List.of();
    }
    List<Changes.Added> added = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      FieldReader one = FieldReader.of(list.get(i));
      String name = one.text("tenant", NAME_LENGTH_MAX);
      String like = one.text("like", NAME_LENGTH_MAX);
      double times = one.number("times", 0.01, settings.timesMax(), 1);
      Double weight = weight(one, "weight");
      one.close();
      String at = "add[" + i + "]";
      one.errors()
          .forEach(
              error ->
                  body.error(
                      error.field().isEmpty() ? at : at + "." + error.field(), error.message()));
      if (name == null || like == null) {
        body.error(at, "must have a tenant and like, the tenant whose requests it gets");
        continue;
      }
      TenantId tenant = tenant(at + ".tenant", name);
      TenantId original = tenant(at + ".like", like);
      if (tenant != null && original != null) {
        inScope(scope, at + ".like", original);
        if (scope.tenants().contains(tenant)
            || added.stream().anyMatch(other -> other.tenant().equals(tenant))) {
          body.error(at + ".tenant", "is there already");
        }
        added.add(new Changes.Added(tenant, original, times, weight));
      }
    }
    return added;
  }
}
