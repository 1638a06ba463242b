package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import dev.rowhouse.fairness.PoolTable.Spent;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** One slot as the coordinator sees it; {@link PoolState} has its states and who changes them. */
final class PoolSlot {

  enum State {
    /** May be granted. */
    FREE,
    /** A Grant was sent, and no table has shown its effect yet. */
    GRANTED,
    /** The tenant has a ticket that it has not used. */
    IDLE,
    RUNNING,
    /** A Reclaim was sent, and no table has shown its effect yet. */
    RECLAIMING
  }

  final PoolWorker worker;
  final int index;
  State state = State.FREE;
  long seq;

  /** The number of the ticket whose run {@link #charge} is for; due back when that run is over. */
  long chargeSeq;

  double charge;
  boolean reserved;
  boolean hold;
  boolean small;
  @Nullable String tenant;
  @Nullable ActorRef<SlotHolder> holder;

  /** How far its holders' spending was settled: the tenure, and its cost, runs and time by then. */
  private long settledTenure = -1;

  private double settledCost;
  private long settledRuns;
  private long settledBusyMillis;

  /** Since when state and number are what they are. */
  long sinceMillis;

  /** When the last Recall was sent for the state and number that it has; -1: none was. */
  long recalledMillis = -1;

  PoolSlot(PoolWorker worker, int index, long seq, long nowMillis) {
    this.worker = worker;
    this.index = index;
    this.seq = seq;
    this.chargeSeq = seq;
    this.sinceMillis = nowMillis;
  }

  void granted(FairQueue.Pick pick, ActorRef<SlotHolder> to, boolean keeps, double charged) {
    state = State.GRANTED;
    tenant = pick.tenant();
    holder = to;
    hold = keeps;
    reserved = pick.reserved();
    small = pick.small();
    charge = charged;
    chargeSeq = seq;
    recalledMillis = -1;
  }

  /** Whether the row was written before what we sent last arrived. */
  boolean awaits(SlotRow row) {
    return switch (state) {
      case GRANTED -> row.seq() == seq && row.free();
      case RECLAIMING -> row.seq() <= seq;
      case FREE, IDLE, RUNNING -> false;
    };
  }

  /** Whether the run that is charged for has ended, or the ticket was void without one. */
  boolean chargedRunOver(SlotRow row) {
    return row.seq() > chargeSeq && !(row.running() && row.seq() == chargeSeq + 1);
  }

  /** What was spent before this coordinator looked is not for it to settle. */
  void settledAs(@Nullable Spent told) {
    if (told != null) {
      settledTenure = told.tenure();
      settledCost = told.cost();
      settledRuns = told.runs();
      settledBusyMillis = told.busyMillis();
    }
  }

  void settledAs(PoolSlot before) {
    settledTenure = before.settledTenure;
    settledCost = before.settledCost;
    settledRuns = before.settledRuns;
    settledBusyMillis = before.settledBusyMillis;
  }

  /** What was spent since it was settled last; null when that is nothing. It is settled then. */
  @Nullable Spent unsettled(Spent told) {
    if (told.tenure() < settledTenure) {
      return null;
    }
    Spent growth =
        told.tenure() > settledTenure
            ? told
            : new Spent(
                told.tenant(),
                told.tenure(),
                told.cost() - settledCost,
                told.runs() - settledRuns,
                told.busyMillis() - settledBusyMillis);
    settledAs(told);
    return growth.runs() > 0 ? growth : null;
  }

  /** It is nobody's; the state is for the caller to say. */
  void cleared() {
    tenant = null;
    holder = null;
    hold = false;
    reserved = false;
    small = false;
    charge = 0;
  }

  /** The slot is as the row says; whose it is was settled before. */
  void follow(SlotRow row, long nowMillis) {
    State next = row.running() ? State.RUNNING : row.holder() != null ? State.IDLE : State.FREE;
    if (next != state || row.seq() != seq) {
      sinceMillis = nowMillis;
      recalledMillis = -1;
    }
    state = next;
    seq = row.seq();
    hold = row.hold();
    worker.note(this);
  }
}
