package dev.rowhouse.fairness;

import dev.rowhouse.fairness.FairnessSnapshot.PoolView;
import dev.rowhouse.fairness.FairnessSnapshot.TenantView;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What operators see of a pool. */
final class PoolViews {
  private PoolViews() {}

  private static final Comparator<Account> MOST_ACTIVE_FIRST =
      Comparator.<Account>comparingLong(account -> -(account.held + account.waiting))
          .thenComparing(account -> account.tenant);

  static PoolView view(
      String pool,
      PoolWorkers workers,
      FairQueue queue,
      int smallSlots,
      double costPerSecond,
      Function<String, @Nullable Party> parties,
      int offset,
      int limit) {
    Collection<Account> accounts = queue.accounts();
    double weights = queue.weightActive();
    int held = accounts.stream().mapToInt(account -> account.held).sum();
    Map<String, Integer> running = new HashMap<>();
    workers
        .slots()
        .filter(slot -> slot.state == PoolSlot.State.RUNNING && slot.tenant != null)
        .forEach(slot -> running.merge(slot.tenant, 1, Integer::sum));
    List<TenantView> tenants =
        accounts.stream()
            .sorted(MOST_ACTIVE_FIRST)
            .skip(offset)
            .limit(limit)
            .map(
                account ->
                    tenant(
                        account,
                        weights,
                        held,
                        running.getOrDefault(account.tenant, 0),
                        parties.apply(account.tenant)))
            .toList();
    return new PoolView(
        pool,
        workers.size(),
        (int) workers.slots().count(),
        workers.free(),
        workers.slotsTotal(),
        smallSlots,
        costPerSecond,
        queue.wantsTotal(),
        accounts.size(),
        tenants);
  }

  private static TenantView tenant(
      Account account, double weights, int held, int running, @Nullable Party party) {
    return new TenantView(
        account.tenant,
        account.weight,
        account.isIdle() || weights <= 0 ? 0 : account.weight / weights,
        held == 0 ? 0 : (double) account.held / held,
        account.counter,
        account.apart,
        party == null ? 0 : party.pending,
        party == null ? 0 : party.oldestWaitMillis(),
        party == null ? 0 : party.meanWaitMillis(),
        account.held,
        running,
        account.reservationSlots,
        account.reservationShare,
        account.limit);
  }
}
