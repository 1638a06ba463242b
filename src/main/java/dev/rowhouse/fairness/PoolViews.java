package dev.rowhouse.fairness;

import dev.rowhouse.fairness.FairQueue.Account;
import dev.rowhouse.fairness.FairnessSnapshot.PoolView;
import dev.rowhouse.fairness.FairnessSnapshot.TenantView;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

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
      ToIntFunction<String> pending,
      int offset,
      int limit) {
    Collection<Account> accounts = queue.accounts();
    double weights =
        accounts.stream()
            .filter(account -> !account.isIdle())
            .mapToDouble(account -> account.weight)
            .sum();
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
                    new TenantView(
                        account.tenant,
                        account.weight,
                        account.isIdle() || weights == 0 ? 0 : account.weight / weights,
                        held == 0 ? 0 : (double) account.held / held,
                        account.counter,
                        pending.applyAsInt(account.tenant),
                        account.held,
                        running.getOrDefault(account.tenant, 0),
                        account.reservation,
                        account.limit))
            .toList();
    return new PoolView(
        pool,
        workers.size(),
        (int) workers.slots().count(),
        workers.free(),
        workers.slotsTotal(),
        queue.wantsTotal(),
        accounts.size(),
        tenants);
  }
}
