package dev.rowhouse.tenant;

import dev.rowhouse.tenant.CatalogKeeper.Change;
import dev.rowhouse.tenant.CatalogKeeper.Reason;
import dev.rowhouse.tenant.CatalogKeeper.Refused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What operators put over the plans and models of conf, and what tenants have reserved: the pure
 * core of the catalog.
 *
 * @param version changes so far, which is the sequence number of the catalog's record
 * @param handled ids of the latest requests that changed something, the newest last
 * @param reservations by tenant
 */
public record CatalogOverrides(
    long version,
    Map<String, ModelSpec> models,
    Map<String, Plan> plans,
    List<String> handled,
    Map<String, ReservationClaim> reservations) {
  /** Every node holds every model, and each one's workers send a slot table each second. */
  static final int MODELS_MAX = 1_000;

  static final int PLANS_MAX = 200;

  /** A snapshot of so many is a megabyte; four fifths of a cluster's slots are not many more. */
  static final int RESERVATIONS_MAX = 5_000;

  /** Repetitions come within seconds of the first. */
  private static final int HANDLED_MAX = 64;

  public static final CatalogOverrides NONE =
      new CatalogOverrides(0, Map.of(), Map.of(), List.of(), Map.of());

  public CatalogOverrides {
    models = Map.copyOf(models);
    plans = Map.copyOf(plans);
    handled = List.copyOf(handled);
    // A snapshot of the first version knows of none.
    reservations = Map.copyOf(Objects.requireNonNullElse(reservations, Map.of()));
  }

  /**
   * What a change comes to.
   *
   * @param event absent: nothing is to be written
   * @param refusal absent: the answer is the catalog
   */
  record Decision(@Nullable CatalogEvent event, @Nullable Refused refusal) {}

  Decision decide(Change change, HouseCatalog house) {
    if (handled.contains(change.requestId())) {
      return done(null);
    }
    return switch (change) {
      case CatalogKeeper.PutPlan(String id, Plan plan) -> {
        if (plan.equals(over(house).plan(plan.name()))) {
          yield done(null);
        }
        yield isFull(plans, plan.name(), PLANS_MAX)
            ? refuse(Reason.TOO_MANY, "the house has at most " + PLANS_MAX + " plans")
            : done(new CatalogEvent.PlanPut(id, plan));
      }
      case CatalogKeeper.PutModel(String id, ModelSpec model) -> {
        if (model.equals(over(house).model(model.name()))) {
          yield done(null);
        }
        yield isFull(models, model.name(), MODELS_MAX)
            ? refuse(Reason.TOO_MANY, "the house has at most " + MODELS_MAX + " models")
            : done(new CatalogEvent.ModelPut(id, model));
      }
      case CatalogKeeper.DeletePlan(String id, String name) ->
          plans.containsKey(name)
              ? done(new CatalogEvent.PlanDeleted(id, name))
              : cannotDelete("plan", name, house.plans().containsKey(name));
      case CatalogKeeper.DeleteModel(String id, String name) ->
          models.containsKey(name)
              ? done(new CatalogEvent.ModelDeleted(id, name))
              : cannotDelete("model", name, house.models().containsKey(name));
      case CatalogKeeper.Reserve reserve -> reserve(reserve, house);
      case CatalogKeeper.Align align -> align(align);
    };
  }

  private Decision reserve(CatalogKeeper.Reserve reserve, HouseCatalog house) {
    String tenant = reserve.tenant().value();
    ReservationClaim before = reservations.get(tenant);
    if (before != null && reserve.claim().isWithin(before)) {
      return done(null);
    }
    if (isFull(reservations, tenant, RESERVATIONS_MAX)) {
      return tooManyReservations();
    }
    String misfit =
        ReservationBook.misfit(
            tenant, reserve.claim(), reservations, over(house).models(), reserve.workers());
    return misfit != null
        ? refuse(Reason.DOES_NOT_FIT, misfit)
        : done(
            new CatalogEvent.Reserved(
                reserve.requestId(),
                reserve.tenant(),
                reserve.claim().at(before == null ? 0 : before.version())));
  }

  private Decision align(CatalogKeeper.Align align) {
    String tenant = align.tenant().value();
    ReservationClaim before = reservations.get(tenant);
    ReservationClaim said = align.claim();
    if (before != null && align.version() < before.version()) {
      return done(null);
    }
    if (said == null) {
      return done(
          before == null ? null : new CatalogEvent.Released(align.requestId(), align.tenant()));
    }
    ReservationClaim after = said.at(align.version());
    if (after.equals(before)) {
      return done(null);
    }
    return isFull(reservations, tenant, RESERVATIONS_MAX)
        ? tooManyReservations()
        : done(new CatalogEvent.Reserved(align.requestId(), align.tenant(), after));
  }

  private static Decision tooManyReservations() {
    return refuse(
        Reason.TOO_MANY,
        "the house has at most " + RESERVATIONS_MAX + " tenants with a reservation");
  }

  private static Decision cannotDelete(String kind, String name, boolean isInConf) {
    return isInConf
        ? refuse(
            Reason.DEFINED_IN_CONF,
            "the %s %s is defined in conf/%ss.conf: remove it there, or put another in its place"
                .formatted(kind, name, kind))
        : refuse(Reason.NOT_FOUND, "there is no " + kind + " " + name);
  }

  private static boolean isFull(Map<String, ?> there, String name, int max) {
    return !there.containsKey(name) && there.size() >= max;
  }

  private static Decision done(@Nullable CatalogEvent event) {
    return new Decision(event, null);
  }

  private static Decision refuse(Reason reason, String message) {
    return new Decision(null, new Refused(reason, message));
  }

  CatalogOverrides apply(CatalogEvent event) {
    Map<String, ModelSpec> models = new HashMap<>(this.models);
    Map<String, Plan> plans = new HashMap<>(this.plans);
    Map<String, ReservationClaim> reservations = new HashMap<>(this.reservations);
    switch (event) {
      case CatalogEvent.PlanPut put -> plans.put(put.plan().name(), put.plan());
      case CatalogEvent.PlanDeleted deleted -> plans.remove(deleted.name());
      case CatalogEvent.ModelPut put -> models.put(put.model().name(), put.model());
      case CatalogEvent.ModelDeleted deleted -> models.remove(deleted.name());
      case CatalogEvent.Reserved reserved ->
          reservations.put(reserved.tenant().value(), reserved.claim());
      case CatalogEvent.Released released -> reservations.remove(released.tenant().value());
    }
    List<String> latest = new ArrayList<>(handled);
    latest.add(event.requestId());
    int surplus = Math.max(0, latest.size() - HANDLED_MAX);
    return new CatalogOverrides(
        version + 1, models, plans, latest.subList(surplus, latest.size()), reservations);
  }

  /** The catalog: conf, with these on top. */
  Catalog over(HouseCatalog house) {
    Map<String, ModelSpec> models = new HashMap<>(house.models());
    models.putAll(this.models);
    Map<String, Plan> plans = new HashMap<>(house.plans());
    plans.putAll(this.plans);
    return new Catalog(version, models, plans);
  }
}
