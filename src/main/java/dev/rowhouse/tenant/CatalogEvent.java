package dev.rowhouse.tenant;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What operators changed in the catalog, as the journal keeps it. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = CatalogEvent.PlanPut.class, name = "plan-put"),
  @JsonSubTypes.Type(value = CatalogEvent.PlanDeleted.class, name = "plan-deleted"),
  @JsonSubTypes.Type(value = CatalogEvent.ModelPut.class, name = "model-put"),
  @JsonSubTypes.Type(value = CatalogEvent.ModelDeleted.class, name = "model-deleted"),
  @JsonSubTypes.Type(value = CatalogEvent.Reserved.class, name = "reserved"),
  @JsonSubTypes.Type(value = CatalogEvent.Released.class, name = "released")
})
public sealed interface CatalogEvent {
  String requestId();

  record PlanPut(String requestId, Plan plan) implements CatalogEvent {}

  record PlanDeleted(String requestId, String name) implements CatalogEvent {}

  record ModelPut(String requestId, ModelSpec model) implements CatalogEvent {}

  record ModelDeleted(String requestId, String name) implements CatalogEvent {}

  /** A tenant has this reserved from now on, instead of what it had. */
  record Reserved(String requestId, TenantId tenant, ReservationClaim claim)
      implements CatalogEvent {}

  /** A tenant has nothing reserved any more. */
  record Released(String requestId, TenantId tenant) implements CatalogEvent {}
}
