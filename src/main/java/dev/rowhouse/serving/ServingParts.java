package dev.rowhouse.serving;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.InstantSource;
import java.util.function.BiFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/**
 * What every tenant's actor on a node is built with.
 *
 * @param records makes the tenant's record
 * @param ledgers makes the tenant's usage ledger
 */
public record ServingParts(
    ServingSettings settings,
    InstantSource clock,
    CatalogReplica catalog,
    HouseCatalog house,
    ActorRef<FairnessCoordinator.Command> coordinator,
    BiFunction<TenantId, ActorRef<TenantRecord.Notice>, Behavior<TenantRecord.Command>> records,
    BiFunction<TenantId, ActorRef<LedgerReply.Opened>, Behavior<UsageLedger.Command>> ledgers) {

  Behavior<TenantRecord.Command> record(TenantId tenant, ActorRef<TenantRecord.Notice> parent) {
    return records.apply(tenant, parent);
  }

  Behavior<UsageLedger.Command> ledger(TenantId tenant, ActorRef<LedgerReply.Opened> parent) {
    return ledgers.apply(tenant, parent);
  }
}
