package dev.rowhouse.fairness;

import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The live workers of one pool: how many slots there are, and where the next one is granted. */
final class PoolWorkers {
  private final Map<String, PoolWorker> workers = new TreeMap<>();
  private @Nullable Integer slotsTotal;
  private int capacity;

  @Nullable PoolWorker get(String name) {
    return workers.get(name);
  }

  void put(PoolWorker worker) {
    workers.put(worker.name, worker);
  }

  @Nullable PoolWorker remove(String name) {
    return workers.remove(name);
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
    int grantable = workers.values().stream().mapToInt(PoolWorker::grantable).sum();
    return slotsTotal == null ? grantable : Math.max(0, Math.min(grantable, slotsTotal - taken()));
  }

  /** The worker with the most slots to give, so that load spreads; null when none has any. */
  @Nullable PoolWorker roomiest() {
    if (slotsTotal != null && taken() >= slotsTotal) {
      return null;
    }
    return workers.values().stream()
        .filter(worker -> worker.grantable() > 0)
        .max(Comparator.comparingInt(PoolWorker::grantable))
        .orElse(null);
  }

  /** After a table or a loss: capacity, and each worker's part of a cluster-wide bound. */
  void recount() {
    slotsTotal =
        workers.values().stream()
            .map(worker -> worker.slotsTotal)
            .filter(Objects::nonNull)
            .min(Comparator.naturalOrder())
            .orElse(null);
    int slots = (int) slots().count();
    capacity = slotsTotal == null ? slots : Math.min(slotsTotal, slots);
    int number = 0;
    for (PoolWorker worker : workers.values()) {
      worker.share =
          slotsTotal == null
              ? Integer.MAX_VALUE
              : slotsTotal / workers.size() + (number < slotsTotal % workers.size() ? 1 : 0);
      number++;
    }
  }

  private int taken() {
    return workers.values().stream().mapToInt(PoolWorker::taken).sum();
  }
}
