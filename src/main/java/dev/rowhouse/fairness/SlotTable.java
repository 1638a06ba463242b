package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import dev.rowhouse.fairness.StartDecision.Reason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The slots of one pool at one worker, and the only mint of their tickets. Over-commitment is
 * prevented here, whatever coordinators exist and whatever their clocks say: a request starts only
 * when its ticket bears the slot's present number, and that raises the number.
 *
 * <pre>
 *   Free(s)    -- Grant(s)              --> Held(s)             ticket s to the holder
 *   Held(s)    -- Start(s)              --> Running(s+1)        the ticket is used up
 *   Held(s)    -- Recall, Reclaim       --> Free(s+1)           Withdrawn(s) to the holder
 *   Held(s)    -- Return(s)             --> Free(s+1)
 *   Running(s) -- Recall, Reclaim       --> Running(s), one run only
 *   Running(s) -- finish, hold          --> Held(s)             ticket s to the holder
 *   Running(s) -- finish, one run only  --> Free(s)
 *   Free(s)    -- Reclaim(s)            --> Free(s+1)           a late Grant(s) is void
 *   any        -- shrink                --> gone, after its run if it runs
 * </pre>
 *
 * <p>A holder's time in a slot, from a Grant until the slot is free, is a tenure. Recall and
 * Reclaim name a number of the tenure that they mean, so they hit the right one although the number
 * rises with every run. A slot that comes back after a shrink starts above every number it ever
 * had.
 */
class SlotTable {

  private static final class Slot {
    final int index;
    long seq;
    long tenureSeq;
    @Nullable String tenant;
    @Nullable ActorRef<SlotHolder> holder;
    @Nullable String attempt;

    /** The attempt that was started last, and with which number; it stays after its run. */
    @Nullable String lastAttempt;

    long lastSeq;
    boolean hold;
    boolean small;
    double progressCost;
    long startedMillis;
    PoolTable.@Nullable Spent spent;
    PoolTable.@Nullable Spent before;
    boolean retiring;
    int quietRepeats;

    Slot(int index, long seq) {
      this.index = index;
      this.seq = seq;
    }

    boolean inTenure(long number) {
      return tenant != null && number >= tenureSeq && number <= seq;
    }
  }

  private final String pool;
  private final String worker;
  private final long incarnation;
  private final SequencedMap<Integer, Slot> slots = new TreeMap<>();

  /** A removed slot is told of in so many tables: more than are lost one after the other. */
  static final int GONE_TABLES = 30;

  /**
   * Removed slots that are remembered: a pool that shrinks by more loses the cost of a few runs.
   */
  static final int GONE_MAX = 256;

  private static final class Gone {
    final PoolTable.GoneSlot slot;
    int tables;

    Gone(PoolTable.GoneSlot slot) {
      this.slot = slot;
    }
  }

  private final ArrayDeque<Gone> gone = new ArrayDeque<>();

  /** Every removed slot's number is below this one. */
  private long seqFloor = 1;

  SlotTable(String pool, String worker, long incarnation) {
    this.pool = pool;
    this.worker = worker;
    this.incarnation = incarnation;
  }

  /** Whether a ticket's number must be the slot's; a test of the tests overrides it. */
  boolean isCurrent(long ticketSeq, long slotSeq) {
    return ticketSeq == slotSeq;
  }

  int size() {
    return slots.size();
  }

  int running() {
    return (int) slots.values().stream().filter(slot -> slot.attempt != null).count();
  }

  /** Makes it so many slots: new ones are free, surplus ones go, those that run after their run. */
  List<SlotEffect> resize(int count) {
    List<SlotEffect> effects = new ArrayList<>();
    boolean changed = false;
    for (Slot slot : List.copyOf(slots.values())) {
      boolean surplus = slot.index >= count;
      if (surplus && slot.attempt == null) {
        withdraw(slot, effects);
        remove(slot);
        changed = true;
      } else if (surplus != slot.retiring) {
        slot.retiring = surplus;
        slot.hold = slot.hold && !surplus;
        changed = true;
      }
    }
    for (int index = 0; index < count; index++) {
      if (!slots.containsKey(index)) {
        slots.put(index, new Slot(index, seqFloor));
        changed = true;
      }
    }
    if (changed) {
      effects.add(new SlotEffect.Report(true));
    }
    return effects;
  }

  List<SlotEffect> grant(SlotOwner.Grant grant) {
    Slot slot = slots.get(grant.slot());
    if (slot == null || slot.attempt != null || slot.retiring || slot.seq != grant.seq()) {
      return staleView();
    }
    if (slot.tenant != null) {
      boolean repeat = slot.tenant.equals(grant.tenant()) && grant.holder().equals(slot.holder);
      return repeat ? List.of() : staleView();
    }
    slot.tenant = grant.tenant();
    slot.holder = grant.holder();
    slot.hold = grant.hold();
    slot.small = grant.small();
    slot.tenureSeq = slot.seq;
    slot.before = slot.spent;
    slot.spent = new PoolTable.Spent(grant.tenant(), slot.seq, 0, 0, 0);
    slot.quietRepeats = 0;
    return List.of(
        new SlotEffect.Mint(ticket(slot), grant.holder(), slot.small),
        new SlotEffect.Report(false));
  }

  List<SlotEffect> recall(int index, long seq) {
    Slot slot = slots.get(index);
    if (slot == null || !slot.inTenure(seq)) {
      return staleView();
    }
    if (slot.attempt != null) {
      slot.hold = false;
      return List.of(new SlotEffect.Report(false));
    }
    List<SlotEffect> effects = new ArrayList<>();
    withdraw(slot, effects);
    effects.add(new SlotEffect.Report(true));
    return effects;
  }

  List<SlotEffect> reclaim(int index, long seq) {
    Slot slot = slots.get(index);
    if (slot != null && slot.tenant == null && slot.seq == seq) {
      slot.seq++;
      return List.of(new SlotEffect.Report(true));
    }
    return recall(index, seq);
  }

  List<SlotEffect> giveBack(SlotTicket ticket) {
    Slot slot = slots.get(ticket.slot());
    if (slot == null
        || ticket.incarnation() != incarnation
        || !ticket.worker().equals(worker)
        || slot.tenant == null
        || slot.attempt != null
        || slot.seq != ticket.seq()) {
      return List.of();
    }
    free(slot);
    slot.seq++;
    return List.of(new SlotEffect.Report(true));
  }

  StartDecision start(SlotTicket ticket, String tenant, String attempt, long nowMillis) {
    if (ticket.incarnation() != incarnation || !ticket.worker().equals(worker)) {
      return new StartDecision.Refused(Reason.OTHER_INCARNATION);
    }
    Slot slot = slots.get(ticket.slot());
    if (slot == null) {
      return new StartDecision.Refused(Reason.UNKNOWN_SLOT);
    }
    if (attempt.equals(slot.lastAttempt) && ticket.seq() == slot.lastSeq) {
      return new StartDecision.Repeated();
    }
    if (!isCurrent(ticket.seq(), slot.seq)) {
      return new StartDecision.Refused(Reason.OTHER_SEQ);
    }
    if (slot.tenant == null || slot.attempt != null) {
      return new StartDecision.Refused(Reason.NOT_HELD);
    }
    if (!slot.tenant.equals(tenant)) {
      return new StartDecision.Refused(Reason.OTHER_TENANT);
    }
    slot.attempt = attempt;
    slot.lastAttempt = attempt;
    slot.lastSeq = slot.seq;
    slot.progressCost = 0;
    slot.startedMillis = nowMillis;
    slot.seq++;
    return new StartDecision.Accepted();
  }

  /** The attempt that runs in this slot has spent so much by now; it never becomes less. */
  void progress(int index, String attempt, double spentCost) {
    Slot slot = slots.get(index);
    if (slot != null && attempt.equals(slot.attempt)) {
      slot.progressCost = Math.max(slot.progressCost, spentCost);
    }
  }

  /** The attempt that ran in this slot is over and has spent so much. */
  List<SlotEffect> finish(int index, String attempt, double cost, long nowMillis) {
    Slot slot = slots.get(index);
    if (slot == null || !attempt.equals(slot.attempt)) {
      return List.of();
    }
    if (slot.spent != null) {
      slot.spent = slot.spent.plus(cost, Math.max(0, nowMillis - slot.startedMillis));
    }
    slot.attempt = null;
    slot.quietRepeats = 0;
    if (slot.retiring) {
      free(slot);
      remove(slot);
      return List.of(new SlotEffect.Report(true));
    }
    if (slot.hold && slot.holder != null) {
      return List.of(new SlotEffect.Mint(ticket(slot), slot.holder, slot.small));
    }
    free(slot);
    return List.of(new SlotEffect.Report(true));
  }

  /**
   * The unused tickets again, for holders that a first message did not reach: after 1, 2, 4, ...
   * calls of quiet, so that a slot held idle for long costs next to nothing.
   */
  List<SlotEffect> repeatMints() {
    List<SlotEffect> effects = new ArrayList<>();
    for (Slot slot : slots.values()) {
      if (slot.holder != null && slot.attempt == null) {
        slot.quietRepeats++;
        if (Integer.bitCount(slot.quietRepeats) == 1) {
          effects.add(new SlotEffect.Mint(ticket(slot), slot.holder, slot.small));
        }
      }
    }
    return effects;
  }

  List<SlotRow> rows() {
    List<SlotRow> rows = new ArrayList<>(slots.size());
    for (Slot slot : slots.values()) {
      rows.add(
          new SlotRow(
              slot.index,
              slot.seq,
              slot.tenant,
              slot.holder,
              slot.attempt != null,
              slot.attempt,
              slot.hold,
              slot.attempt == null ? 0 : slot.progressCost,
              slot.spent,
              slot.before));
    }
    return rows;
  }

  /** What removed slots had spent, for one more table. */
  List<PoolTable.GoneSlot> gone() {
    List<PoolTable.GoneSlot> told = new ArrayList<>(gone.size());
    for (Gone one : gone) {
      told.add(one.slot);
      one.tables++;
    }
    gone.removeIf(one -> one.tables >= GONE_TABLES);
    return told;
  }

  private static List<SlotEffect> staleView() {
    return List.of(new SlotEffect.Report(true));
  }

  private void withdraw(Slot slot, List<SlotEffect> effects) {
    if (slot.holder != null) {
      effects.add(new SlotEffect.Withdraw(ticket(slot), slot.holder));
      free(slot);
      slot.seq++;
    }
  }

  private static void free(Slot slot) {
    slot.tenant = null;
    slot.holder = null;
    slot.hold = false;
  }

  private void remove(Slot slot) {
    slots.remove(slot.index);
    if (slot.spent != null) {
      gone.addLast(new Gone(new PoolTable.GoneSlot(slot.index, slot.spent)));
      if (gone.size() > GONE_MAX) {
        gone.removeFirst();
      }
    }
    seqFloor = Math.max(seqFloor, slot.seq + 1);
  }

  private SlotTicket ticket(Slot slot) {
    return new SlotTicket(pool, worker, incarnation, slot.index, slot.seq);
  }
}
