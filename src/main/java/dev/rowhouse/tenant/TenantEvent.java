package dev.rowhouse.tenant;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What happened to a tenant, as the journal keeps it. The names are part of the journal's format.
 * Each event carries the id of the request that caused it, by which a repetition is known.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = TenantEvent.Onboarded.class, name = "onboarded"),
  @JsonSubTypes.Type(value = TenantEvent.Configured.class, name = "configured"),
  @JsonSubTypes.Type(value = TenantEvent.Suspended.class, name = "suspended"),
  @JsonSubTypes.Type(value = TenantEvent.Resumed.class, name = "resumed"),
  @JsonSubTypes.Type(value = TenantEvent.Offboarded.class, name = "offboarded"),
  @JsonSubTypes.Type(value = TenantEvent.KeyCreated.class, name = "key-created"),
  @JsonSubTypes.Type(value = TenantEvent.KeyChanged.class, name = "key-changed"),
  @JsonSubTypes.Type(value = TenantEvent.KeyRevoked.class, name = "key-revoked"),
  @JsonSubTypes.Type(value = TenantEvent.KeyRotated.class, name = "key-rotated"),
  @JsonSubTypes.Type(value = TenantEvent.BudgetMarked.class, name = "budget-marked"),
  @JsonSubTypes.Type(value = TenantEvent.PromptSaved.class, name = "prompt-saved"),
  @JsonSubTypes.Type(value = TenantEvent.PromptDeleted.class, name = "prompt-deleted")
})
public sealed interface TenantEvent {
  /** Every event of a tenant's record has this tag, by which the directory finds it. */
  String TAG = "tenant";

  TenantId tenant();

  String requestId();

  Instant at();

  record Onboarded(TenantId tenant, String requestId, Instant at, TenantSpec spec, KeyEntry key)
      implements TenantEvent {}

  /**
   * The settings were changed.
   *
   * @param spec all the settings after the change
   */
  record Configured(TenantId tenant, String requestId, Instant at, TenantSpec spec)
      implements TenantEvent {}

  record Suspended(TenantId tenant, String requestId, Instant at) implements TenantEvent {}

  record Resumed(TenantId tenant, String requestId, Instant at) implements TenantEvent {}

  record Offboarded(TenantId tenant, String requestId, Instant at) implements TenantEvent {}

  record KeyCreated(TenantId tenant, String requestId, Instant at, KeyEntry key)
      implements TenantEvent {}

  record KeyChanged(TenantId tenant, String requestId, Instant at, KeyEntry key)
      implements TenantEvent {}

  record BudgetMarked(TenantId tenant, String requestId, Instant at, BudgetMark mark)
      implements TenantEvent {}

  record KeyRevoked(TenantId tenant, String requestId, Instant at, String keyId)
      implements TenantEvent {}

  record KeyRotated(
      TenantId tenant,
      String requestId,
      Instant at,
      String oldKeyId,
      Instant oldExpiresAt,
      KeyEntry key)
      implements TenantEvent {}

  record PromptSaved(
      TenantId tenant,
      String requestId,
      Instant at,
      String name,
      int version,
      String template,
      @Nullable String description)
      implements TenantEvent {}

  record PromptDeleted(TenantId tenant, String requestId, Instant at, String name)
      implements TenantEvent {}
}
