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
   * @param smallSlots slots that are kept for small requests
   * @param costPerSecond weighted tokens a second that all slots would do by the speed of late; 0:
   *     not known
   * @param backlog requests that wait beyond what was already granted to their tenants
   * @param tenantsTotal tenants known in this pool; {@code tenants} is one page of them
   */
  public record PoolView(
      String pool,
      int workers,
      int slots,
      int free,
      @Nullable Integer slotsTotal,
      int smallSlots,
      double costPerSecond,
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
   * @param apart cost served under the reservation, which is not in the counter
   * @param pending requests that wait at the tenant
   * @param oldestWaitMillis for how long the first of them has waited, as last told
   * @param meanWaitMillis moving mean of the waits of those served before, as last told
   * @param held slots of this tenant, running or not
   * @param running slots of this tenant that run
   */
  public record TenantView(
      String tenant,
      double weight,
      double entitlement,
      double share,
      double counter,
      double apart,
      int pending,
      long oldestWaitMillis,
      long meanWaitMillis,
      int held,
      int running,
      int reservationSlots,
      double reservationShare,
      @Nullable Integer limitSlots) {}
}
