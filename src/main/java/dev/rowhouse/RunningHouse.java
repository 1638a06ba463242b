package dev.rowhouse;

import dev.rowhouse.replay.ReplayHouse;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;

/** A running node as replays see it: they are compared with the ledgers of its cluster. */
record RunningHouse(
    ActorSystem<?> system, TenantPort tenants, CatalogReplica replica, HouseCatalog house)
    implements ReplayHouse {

  @Override
  public CompletionStage<LedgerReply.Cut> cut(
      TenantId tenant, UsageLedger.@Nullable Buckets buckets) {
    return tenants
        .<LedgerReply.Cut>ask(
            tenant,
            replyTo -> new TenantEntity.QueryLedger(new UsageLedger.GetCut(buckets, replyTo)))
        .exceptionally(
            failure -> new LedgerReply.Away("the tenant's ledger did not answer in time"));
  }

  @Override
  public Catalog catalog() {
    return replica.current();
  }

  @Override
  public Plan plan(String name) {
    return house.planOf(name, catalog());
  }

  @Override
  public int workers() {
    int workers = 0;
    for (Member member : Cluster.get(system).state().getMembers()) {
      workers += member.hasRole("worker") ? 1 : 0;
    }
    return workers;
  }

  @Override
  public String ledger() {
    return "running";
  }
}
