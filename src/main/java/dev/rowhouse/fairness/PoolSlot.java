package dev.rowhouse.fairness;

import dev.rowhouse.fairness.PoolTable.SlotRow;
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

  /** The number that was granted; what was charged then is due back when its run is over. */
  long grantSeq;

  double charge;
  boolean reserved;
  boolean hold;
  @Nullable String tenant;
  @Nullable ActorRef<SlotHolder> holder;

  /** Since when state and number are what they are. */
  long sinceMillis;

  /** When the last Recall was sent for the state and number that it has; -1: none was. */
  long recalledMillis = -1;

  PoolSlot(PoolWorker worker, int index, long seq, long nowMillis) {
    this.worker = worker;
    this.index = index;
    this.seq = seq;
    this.grantSeq = seq;
    this.sinceMillis = nowMillis;
  }

  void granted(
      String to, ActorRef<SlotHolder> toHolder, boolean keeps, boolean isReserved, double charged) {
    state = State.GRANTED;
    tenant = to;
    holder = toHolder;
    hold = keeps;
    reserved = isReserved;
    charge = charged;
    grantSeq = seq;
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

  /**
   * Whether the run that was charged at the grant has ended, or the ticket was void without one.
   */
  boolean firstRunOver(SlotRow row) {
    return row.seq() > grantSeq && !(row.running() && row.seq() == grantSeq + 1);
  }

  /** It is nobody's; the state is for the caller to say. */
  void cleared() {
    tenant = null;
    holder = null;
    hold = false;
    reserved = false;
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
