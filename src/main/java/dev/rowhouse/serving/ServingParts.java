package dev.rowhouse.serving;

import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.HouseCatalog;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/**
 * What every tenant's actor on a node is built with.
 *
 * @param records makes the tenant's record
 * @param ledgers makes the tenant's usage ledger
 * @param defaultZone of tenants that have no time zone of their own
 * @param census of this node
 * @param journal whether it takes writes, as far as this node knows
 * @param marked hears of each budget that is nearly used up, as often as it is found
 */
public record ServingParts(
    ServingSettings settings,
    InstantSource clock,
    CatalogReplica catalog,
    HouseCatalog house,
    ActorRef<FairnessCoordinator.Command> coordinator,
    BiFunction<TenantId, ActorRef<TenantRecord.Notice>, Behavior<TenantRecord.Command>> records,
    Ledgers ledgers,
    ZoneId defaultZone,
    ActorRef<Census.Command> census,
    BooleanSupplier journal,
    Consumer<BudgetMark> marked) {

  /** Makes the usage ledger of a tenant whose months are of that time zone. */
  public interface Ledgers {
    Behavior<UsageLedger.Command> ledger(
        TenantId tenant, ZoneId zone, ActorRef<LedgerReply.Notice> parent);
  }

  Behavior<TenantRecord.Command> record(TenantId tenant, ActorRef<TenantRecord.Notice> parent) {
    return records.apply(tenant, parent);
  }

  Behavior<UsageLedger.Command> ledger(
      TenantId tenant, ZoneId zone, ActorRef<LedgerReply.Notice> parent) {
    return ledgers.ledger(tenant, zone, parent);
  }

  ZoneId zone(TenantProfile profile) {
    return profile.timeZone() == null ? defaultZone : ZoneId.of(profile.timeZone());
  }
}
