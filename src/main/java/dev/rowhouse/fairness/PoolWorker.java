package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.CostRow;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** One worker's slots of one pool, as the coordinator sees them. */
final class PoolWorker {
  final String name;
  final long incarnation;
  final ActorRef<SlotOwner> ref;
  @Nullable Integer slotsTotal;

  /** How many of its slots may be taken at once; less than all under a cluster-wide bound. */
  int share = Integer.MAX_VALUE;

  /** The cost rows of the last table; null before the first, which only sets the base. */
  private @Nullable Map<String, CostRow> costs;

  private final Map<Integer, PoolSlot> slots = new TreeMap<>();
  private final BitSet free = new BitSet();
  private int freeCount;

  PoolWorker(String name, long incarnation, ActorRef<SlotOwner> ref) {
    this.name = name;
    this.incarnation = incarnation;
    this.ref = ref;
  }

  /** The worker was silent, or not known to this coordinator; costs go on from what was seen. */
  void resume(@Nullable PoolWorker before) {
    costs = before != null && before.incarnation == incarnation ? before.costs : null;
  }

  /** The rows' growth since the last table, as rows; those that did not grow are left out. */
  List<CostRow> spentSince(List<CostRow> rows) {
    Map<String, CostRow> before = costs;
    Map<String, CostRow> after = new HashMap<>();
    List<CostRow> spent = new ArrayList<>();
    for (CostRow row : rows) {
      after.put(row.tenant(), row);
      CostRow last = before == null ? row : before.get(row.tenant());
      if (last == null || last.opened() != row.opened()) {
        last = new CostRow(row.tenant(), row.opened(), 0, 0, 0);
      }
      double cost = row.cumulativeCost() - last.cumulativeCost();
      long runs = row.runs() - last.runs();
      if (runs > 0) {
        long busyMillis = row.busyMillis() - last.busyMillis();
        spent.add(new CostRow(row.tenant(), row.opened(), cost, runs, busyMillis));
      }
    }
    costs = after;
    return spent;
  }

  Collection<PoolSlot> slots() {
    return slots.values();
  }

  /** The slot, new if it was not known. */
  PoolSlot slot(int index, long seq, long nowMillis) {
    return slots.computeIfAbsent(index, _ -> new PoolSlot(this, index, seq, nowMillis));
  }

  void remove(PoolSlot slot) {
    slots.remove(slot.index);
    setFree(slot.index, false);
  }

  void note(PoolSlot slot) {
    setFree(slot.index, slot.state == PoolSlot.State.FREE);
  }

  int size() {
    return slots.size();
  }

  int taken() {
    return slots.size() - freeCount;
  }

  int grantable() {
    return Math.max(0, Math.min(freeCount, share - taken()));
  }

  /** A free slot, which is not free any more. */
  PoolSlot takeFree() {
    int index = free.nextSetBit(0);
    PoolSlot slot = index < 0 ? null : slots.get(index);
    if (slot == null) {
      throw new IllegalStateException("no free slot at " + name);
    }
    setFree(index, false);
    return slot;
  }

  private void setFree(int index, boolean isFree) {
    if (free.get(index) != isFree) {
      free.set(index, isFree);
      freeCount += isFree ? 1 : -1;
    }
  }
}
