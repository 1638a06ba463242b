package dev.rowhouse.usage;

import dev.rowhouse.journal.Fence;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;

/** Whose ledger it is, and what it stands on. It never changes while the ledger lives. */
record LedgerHome(
    TenantId tenant,
    ZoneId zone,
    Fence fence,
    Executor blocking,
    SegmentReader reader,
    LedgerSettings settings,
    String owner,
    InstantSource clock) {

  static LedgerHome of(
      ActorSystem<?> system,
      TenantId tenant,
      ZoneId zone,
      Fence fence,
      LedgerSettings settings,
      String owner,
      InstantSource clock) {
    return new LedgerHome(
        tenant,
        zone,
        fence,
        system.dispatchers().lookup(DispatcherSelector.fromConfig(settings.blockingDispatcher())),
        new SegmentReader(system, tenant, settings.readJournal()),
        settings,
        owner,
        clock);
  }

  Instant now() {
    return clock.instant();
  }

  /** Whether a tenant is still shown a record. */
  boolean isVisible(UsageRecord record) {
    return record.timeMillis() >= now().minus(settings.recordsVisible()).toEpochMilli();
  }

  CompletionStage<List<Fence.Claim>> claims() {
    return fence.claims(SegmentReader.fenceName(tenant), blocking);
  }

  CompletionStage<Long> claim() {
    return fence.claim(SegmentReader.fenceName(tenant), owner, blocking);
  }
}
