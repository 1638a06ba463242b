package dev.rowhouse.tenant;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one tenant has reserved, as the house's book keeps it: how much, and in which pools.
 *
 * <p>A reservation holds in the pools of the models that answer and that the tenant may use. Models
 * that embed are for everybody, listed or not, so nothing of them is reserved.
 *
 * @param slots slots in each pool; 0 when a share is reserved
 * @param share the part of each pool; 0 when slots are
 * @param models the models that the tenant may use; empty: all that exist for it
 * @param version the version of the tenant's record that says so; 0: it has yet to say so
 */
public record ReservationClaim(int slots, double share, List<String> models, long version) {
  public ReservationClaim {
    models = List.copyOf(models);
  }

  /** What such settings reserve, or null when they reserve nothing. */
  public static @Nullable ReservationClaim of(
      Reservation reservation,
      List<String> allowedModels,
      Map<String, String> aliases,
      long version) {
    if (reservation.equals(Reservation.NONE)) {
      return null;
    }
    TreeSet<String> models = new TreeSet<>();
    allowedModels.forEach(name -> models.add(aliases.getOrDefault(name, name)));
    return new ReservationClaim(
        reservation.slots(), reservation.share(), List.copyOf(models), version);
  }

  public static @Nullable ReservationClaim of(TenantSpec spec) {
    return of(spec.reservation(), spec.allowedModels(), spec.aliases(), 0);
  }

  /** What that tenant has reserved; null: nothing, as who was offboarded. */
  public static @Nullable ReservationClaim of(TenantProfile profile) {
    return profile.status() == TenantProfile.Status.OFFBOARDED
        ? null
        : of(profile.reservation(), profile.allowedModels(), profile.aliases(), profile.version());
  }

  ReservationClaim at(long version) {
    return new ReservationClaim(slots, share, models, version);
  }

  boolean holdsIn(ModelSpec model, String tenant) {
    TenantId owner = model.owner();
    return !model.isEmbedder()
        && (owner == null || owner.value().equals(tenant))
        && (models.isEmpty() || models.contains(model.name()));
  }

  double partOf(int capacitySlots) {
    return new Reservation(slots, share).partOf(capacitySlots);
  }

  /** Whether whoever has {@code other} need ask nobody for this. */
  boolean isWithin(ReservationClaim other) {
    boolean samePools =
        other.models.isEmpty() || (!models.isEmpty() && other.models.containsAll(models));
    boolean sameKind = (slots > 0) == (other.slots > 0);
    return samePools && sameKind && slots <= other.slots && share <= other.share;
  }
}
