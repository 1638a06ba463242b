package dev.rowhouse.fairness;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the coordinator knows at one moment, for operators.
 *
 * @param messages handled since this coordinator began: tables, demands and questions, its own
 *     timers left out
 */
public record FairnessSnapshot(long epoch, long messages, List<PoolView> pools) {

  public FairnessSnapshot {
    pools = List.copyOf(pools);
  }

  /**
   * One pool.
   *
   * @param slots slots of all live workers
   * @param free slots that could be granted now
   * @param slotsTotal the cluster-wide bound, where there is one
   * @param backlog requests that wait beyond what was already granted to their tenants
   * @param tenantsTotal tenants known in this pool; {@code tenants} is one page of them
   */
  public record PoolView(
      String pool,
      int workers,
      int slots,
      int free,
      @Nullable Integer slotsTotal,
      long backlog,
      int tenantsTotal,
      List<TenantView> tenants) {

    public PoolView {
      tenants = List.copyOf(tenants);
    }
  }

  /**
   * One tenant in one pool, most active first.
   *
   * @param entitlement the share of the pool, 0 to 1, among the tenants that hold or want slots
   * @param share the share of the slots in use that it holds now, 0 to 1
   * @param counter the virtual token counter: cost over weight
   * @param pending requests that wait at the tenant
   * @param held slots of this tenant, running or not
   * @param running slots of this tenant that run
   */
  public record TenantView(
      String tenant,
      double weight,
      double entitlement,
      double share,
      double counter,
      int pending,
      int held,
      int running,
      int reservationSlots,
      @Nullable Integer limitSlots) {}
}
