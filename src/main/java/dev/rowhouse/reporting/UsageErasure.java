package dev.rowhouse.reporting;

import dev.rowhouse.tenant.ErasureTarget;
import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The query tables, for the erasure of a tenant: ids of keys and of attempts go, and the sums stay
 * by hour, model asked and model answered, so that they go on being equal to its ledger's.
 */
public final class UsageErasure implements ErasureTarget {
  private final UsageStore store;
  private final Executor blocking;
  private final InstantSource clock;

  UsageErasure(UsageStore store, Executor blocking, InstantSource clock) {
    this.store = store;
    this.blocking = blocking;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "usage_tables";
  }

  @Override
  public CompletionStage<Map<String, Long>> count(TenantId tenant) {
    return CompletableFuture.supplyAsync(() -> store.identified(tenant), blocking);
  }

  @Override
  public CompletionStage<?> erase(TenantId tenant) {
    return CompletableFuture.runAsync(() -> store.erase(tenant, clock.millis()), blocking);
  }
}
