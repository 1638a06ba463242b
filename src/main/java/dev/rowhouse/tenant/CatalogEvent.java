package dev.rowhouse.tenant;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What operators changed in the catalog, as the journal keeps it. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = CatalogEvent.PlanPut.class, name = "plan-put"),
  @JsonSubTypes.Type(value = CatalogEvent.PlanDeleted.class, name = "plan-deleted"),
  @JsonSubTypes.Type(value = CatalogEvent.ModelPut.class, name = "model-put"),
  @JsonSubTypes.Type(value = CatalogEvent.ModelDeleted.class, name = "model-deleted")
})
public sealed interface CatalogEvent {
  String requestId();

  record PlanPut(String requestId, Plan plan) implements CatalogEvent {}

  record PlanDeleted(String requestId, String name) implements CatalogEvent {}

  record ModelPut(String requestId, ModelSpec model) implements CatalogEvent {}

  record ModelDeleted(String requestId, String name) implements CatalogEvent {}
}
