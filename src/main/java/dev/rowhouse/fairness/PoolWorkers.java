package dev.rowhouse.fairness;

import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The live workers of one pool: how many slots there are, and where the next one is granted. */
final class PoolWorkers {
  private final Map<String, PoolWorker> workers = new TreeMap<>();
  private @Nullable Integer slotsTotal;
  private int capacity;
  private int free;
  private int slots;

  /** Whether workers, slots or the bound changed since the last count. */
  private boolean changed = true;

  @Nullable PoolWorker get(String name) {
    return workers.get(name);
  }

  void put(PoolWorker worker) {
    workers.put(worker.name, worker);
    worker.joined(this);
    count(worker.size(), worker.freeCount());
  }

  /** A worker of this pool has so many more slots, and so many more free ones. */
  void count(int moreSlots, int moreFree) {
    slots += moreSlots;
    free += moreFree;
    changed |= moreSlots != 0;
  }

  /** The bound that a worker tells of is another one. */
  void changed() {
    changed = true;
  }

  @Nullable PoolWorker remove(String name) {
    PoolWorker worker = workers.remove(name);
    if (worker != null) {
      worker.joined(null);
      count(-worker.size(), -worker.freeCount());
      changed = true;
    }
    return worker;
  }

  Collection<PoolWorker> all() {
    return workers.values();
  }

  boolean isEmpty() {
    return workers.isEmpty();
  }

  int size() {
    return workers.size();
  }

  Stream<PoolSlot> slots() {
    return workers.values().stream().flatMap(worker -> worker.slots().stream());
  }

  /** The cluster-wide bound, where there is one; the smallest while workers disagree. */
  @Nullable Integer slotsTotal() {
    return slotsTotal;
  }

  /** Slots that can run at once. */
  int capacity() {
    return capacity;
  }

  /** Slots that could be granted now. */
  int free() {
    if (slotsTotal == null) {
      return free;
    }
    int grantable = 0;
    for (PoolWorker worker : workers.values()) {
      grantable += worker.grantable();
    }
    return Math.max(0, Math.min(grantable, slotsTotal - taken()));
  }

  /** The worker with the most slots to give, so that load spreads; null when none has any. */
  @Nullable PoolWorker roomiest() {
    if (slotsTotal != null && taken() >= slotsTotal) {
      return null;
    }
    PoolWorker roomiest = null;
    int most = 0;
    for (PoolWorker worker : workers.values()) {
      int grantable = worker.grantable();
      if (grantable > most) {
        most = grantable;
        roomiest = worker;
      }
    }
    return roomiest;
  }

  /** After a table or a loss: capacity, and each worker's part of a cluster-wide bound. */
  void recount() {
    if (!changed) {
      return;
    }
    changed = false;
    slotsTotal = null;
    for (PoolWorker worker : workers.values()) {
      Integer total = worker.slotsTotal();
      if (total != null && (slotsTotal == null || total < slotsTotal)) {
        slotsTotal = total;
      }
    }
    capacity = slotsTotal == null ? slots : Math.min(slotsTotal, slots);
    Integer total = slotsTotal;
    if (total == null) {
      workers.values().forEach(worker -> worker.share = Integer.MAX_VALUE);
    } else {
      divide(total);
    }
  }

  /** The fewest first, so that what a worker has no slots for goes to the others. */
  private void divide(int total) {
    int left = total;
    int others = workers.size();
    for (PoolWorker worker :
        workers.values().stream().sorted(Comparator.comparingInt(PoolWorker::size)).toList()) {
      worker.share = Math.min(worker.size(), Math.ceilDiv(left, others));
      left -= worker.share;
      others--;
    }
  }

  /** Slots that are not free, at all workers. */
  int taken() {
    return slots - free;
  }
}
