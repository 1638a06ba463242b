package dev.rowhouse.fairness;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which held slots of a pool are asked back, when, and how often. */
final class Recalls {
  private final String pool;
  private final FairnessSettings settings;
  private final PoolWorkers workers;
  private final FairQueue queue;

  Recalls(String pool, FairnessSettings settings, PoolWorkers workers, FairQueue queue) {
    this.pool = pool;
    this.settings = settings;
    this.workers = workers;
    this.queue = queue;
  }

  /** Slots beyond a worker's share of a cluster-wide bound go back when they can. */
  void surplus(long epoch, long nowMillis, List<PoolState.Send> sends) {
    for (PoolWorker worker : workers.all()) {
      int surplus = worker.taken() - worker.share;
      if (surplus > 0) {
        worker.slots().stream()
            .filter(slot -> slot.tenant != null && (slot.hold || slot.state == PoolSlot.State.IDLE))
            .limit(surplus)
            .forEach(slot -> recall(slot, epoch, nowMillis, sends));
      }
    }
  }

  /**
   * First the unused tickets of those that want nothing, most served tenants first; if they are too
   * few, every kept slot. What is seen may be a second old, so a slot that looks unused may run by
   * now, and the other way round; either way the worker does the right thing.
   */
  void kept(long wanted, long epoch, long nowMillis, List<PoolState.Send> sends) {
    List<PoolSlot> unused =
        workers
            .slots()
            .filter(slot -> isUnused(slot, nowMillis))
            .filter(slot -> wants(slot.tenant) == 0)
            .sorted(Comparator.comparingDouble(slot -> -counter(slot.tenant)))
            .limit(wanted)
            .toList();
    unused.forEach(slot -> recall(slot, epoch, nowMillis, sends));
    if (unused.size() < wanted) {
      workers
          .slots()
          .filter(slot -> slot.hold)
          .filter(slot -> slot.state == PoolSlot.State.RUNNING || isUnused(slot, nowMillis))
          .forEach(slot -> recall(slot, epoch, nowMillis, sends));
    }
  }

  private boolean isUnused(PoolSlot slot, long nowMillis) {
    return slot.state == PoolSlot.State.IDLE
        && nowMillis - slot.sinceMillis >= settings.recallGrace().toMillis();
  }

  private void recall(PoolSlot slot, long epoch, long nowMillis, List<PoolState.Send> sends) {
    boolean waits =
        slot.recalledMillis >= 0
            && nowMillis - slot.recalledMillis <= settings.grantExpiry().toMillis();
    if (!waits) {
      slot.recalledMillis = nowMillis;
      sends.add(
          new PoolState.Send(
              slot.worker.ref, new SlotOwner.Recall(epoch, pool, slot.index, slot.seq)));
    }
  }

  private long wants(@Nullable String tenant) {
    Account account = tenant == null ? null : queue.account(tenant);
    return account == null ? 0 : account.wants();
  }

  private double counter(@Nullable String tenant) {
    Account account = tenant == null ? null : queue.account(tenant);
    return account == null ? 0 : account.counter;
  }
}
