package dev.rowhouse.tenant;

import dev.rowhouse.tenant.PromptShelf.History;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What stays of a tenant's record when nobody may read the tenant's words any more: times, plan,
 * limits, ids. Names, templates and aliases do not.
 */
final class Blank {
  /** Where a name has to be. */
  static final String NAME = "erased";

  private Blank() {}

  /** The event without words; the same object when it has none. */
  static TenantEvent of(TenantEvent event) {
    return switch (event) {
      case TenantEvent.Onboarded e ->
          new TenantEvent.Onboarded(e.tenant(), e.requestId(), e.at(), of(e.spec()), of(e.key()));
      case TenantEvent.Configured e ->
          new TenantEvent.Configured(e.tenant(), e.requestId(), e.at(), of(e.spec()));
      case TenantEvent.KeyCreated e ->
          new TenantEvent.KeyCreated(e.tenant(), e.requestId(), e.at(), of(e.key()));
      case TenantEvent.KeyChanged e ->
          new TenantEvent.KeyChanged(e.tenant(), e.requestId(), e.at(), of(e.key()));
      case TenantEvent.KeyRotated e ->
          new TenantEvent.KeyRotated(
              e.tenant(), e.requestId(), e.at(), e.oldKeyId(), e.oldExpiresAt(), of(e.key()));
      case TenantEvent.PromptSaved e ->
          new TenantEvent.PromptSaved(
              e.tenant(), e.requestId(), e.at(), NAME, e.version(), NAME, null);
      case TenantEvent.PromptDeleted e ->
          new TenantEvent.PromptDeleted(e.tenant(), e.requestId(), e.at(), NAME);
      case TenantEvent.Suspended _,
          TenantEvent.Resumed _,
          TenantEvent.Offboarded _,
          TenantEvent.KeyRevoked _,
          TenantEvent.BudgetMarked _ ->
          event;
    };
  }

  /** The tenant without words; its prompts and keys are still as many. */
  static Tenant of(Tenant tenant) {
    Map<String, KeyEntry> keys =
        tenant.keys().entries().entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, key -> of(key.getValue())));
    return tenant.withoutWords(
        of(tenant.spec()),
        new PromptShelf(Map.<String, History>of(), List.of()),
        new KeyRing(keys, tenant.keys().retiring()));
  }

  private static TenantSpec of(TenantSpec spec) {
    return new TenantSpec(
        null,
        spec.plan(),
        spec.weight(),
        spec.limits(),
        spec.reservationSlots(),
        spec.reservationShare(),
        null,
        List.of(),
        Map.of(),
        Map.of(),
        Map.of(),
        spec.cache(),
        spec.retrieval(),
        spec.contentLog(),
        spec.timeZone());
  }

  private static KeyEntry of(KeyEntry key) {
    @Nullable Limits limits = key.limits();
    return new KeyEntry(
        key.id(), "", NAME, key.scopes(), key.createdAt(), key.expiresAt(), limits, key.replaced());
  }
}
