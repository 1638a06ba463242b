package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** One worker's slots of one pool, as the coordinator sees them. */
final class PoolWorker {
  final String name;
  final long incarnation;
  final ActorRef<SlotOwner> ref;
  private @Nullable Integer slotsTotal;
  private @Nullable PoolWorkers pool;

  /** How many of its slots may be taken at once; less than all under a cluster-wide bound. */
  int share = Integer.MAX_VALUE;

  private final Map<Integer, PoolSlot> slots = new TreeMap<>();

  /** Slots that were here before, for how far they were settled; an index comes back as it was. */
  private final Map<Integer, PoolSlot> removed = new HashMap<>();

  /** Whether a table of it was seen; the first only sets the base of what is settled. */
  boolean isKnown;

  private final BitSet free = new BitSet();
  private int freeCount;

  PoolWorker(String name, long incarnation, ActorRef<SlotOwner> ref) {
    this.name = name;
    this.incarnation = incarnation;
    this.ref = ref;
  }

  /** The worker was silent, or not known to this coordinator; costs go on from what was seen. */
  void resume(@Nullable PoolWorker before) {
    if (before != null && before.incarnation == incarnation) {
      isKnown = before.isKnown;
      removed.putAll(before.removed);
      removed.putAll(before.slots);
    }
  }

  Collection<PoolSlot> slots() {
    return slots.values();
  }

  /** The slot, new if it was not known. */
  PoolSlot slot(SlotRow row, long nowMillis) {
    PoolSlot known = slots.get(row.slot());
    if (known != null) {
      return known;
    }
    PoolSlot slot = new PoolSlot(this, row.slot(), row.seq(), nowMillis);
    PoolSlot before = removed.remove(row.slot());
    if (before != null) {
      slot.settledAs(before);
    } else if (!isKnown) {
      slot.settledAs(row.spent());
    }
    slots.put(row.slot(), slot);
    count(1, 0);
    note(slot);
    return slot;
  }

  /** A slot that is or was here, for what is still to be settled of it; null when never seen. */
  @Nullable PoolSlot anySlot(int index) {
    PoolSlot slot = slots.get(index);
    return slot == null ? removed.get(index) : slot;
  }

  void remove(PoolSlot slot) {
    setFree(slot.index, false);
    slots.remove(slot.index);
    removed.put(slot.index, slot);
    count(-1, 0);
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
      count(0, isFree ? 1 : -1);
    }
  }

  /** The pool that counts its slots from now on; null: none. */
  void joined(@Nullable PoolWorkers counting) {
    pool = counting;
  }

  private void count(int moreSlots, int moreFree) {
    if (pool != null) {
      pool.count(moreSlots, moreFree);
    }
  }

  int freeCount() {
    return freeCount;
  }

  @Nullable Integer slotsTotal() {
    return slotsTotal;
  }

  void slotsTotal(@Nullable Integer total) {
    if (!Objects.equals(slotsTotal, total)) {
      slotsTotal = total;
      if (pool != null) {
        pool.changed();
      }
    }
  }
}
