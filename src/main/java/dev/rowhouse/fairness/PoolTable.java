package dev.rowhouse.fairness;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * All slots of one pool at one worker, as the worker sees them. It travels whole, so that a lost
 * table costs a moment and never a fact.
 *
 * @param inputWeight what an input token counts in fair sharing
 * @param outputWeight what an output token counts in fair sharing
 * @param slotsTotal runs at once in the whole cluster; absent: each worker's slots count alone
 * @param gone what slots had spent that are not there any more; told for a while
 */
public record PoolTable(
    String pool,
    double inputWeight,
    double outputWeight,
    @Nullable Integer slotsTotal,
    List<SlotRow> rows,
    List<GoneSlot> gone) {

  public PoolTable {
    rows = List.copyOf(rows);
    gone = List.copyOf(gone);
  }

  /**
   * One slot. Without a holder it is free.
   *
   * @param seq the number that the next accepted ticket bears
   * @param attempt the attempt that runs, if one does
   * @param hold whether the holder keeps the slot after its run
   * @param progressCost weighted tokens that the run has spent so far, as far as they are known
   * @param spent what the ended runs of its holder's tenure have spent, or of the last one's when
   *     it is free; absent before the first
   * @param before the same of the tenure before, in case no table has shown its end
   */
  public record SlotRow(
      int slot,
      long seq,
      @Nullable String holder,
      @Nullable ActorRef<SlotHolder> holderRef,
      boolean running,
      @Nullable String attempt,
      boolean hold,
      double progressCost,
      @Nullable Spent spent,
      @Nullable Spent before) {

    public boolean free() {
      return holder == null && !running;
    }
  }

  /**
   * What the ended runs of one tenure have spent, from its grant on. A slot changes hands only by a
   * grant of a coordinator that saw it free, and with that all that its last holder spent, so cost
   * needs no acknowledgement of its own, and no row per tenant.
   *
   * @param tenure the number that was granted; larger for every later tenure of the slot
   * @param cost weighted tokens
   * @param runs ended runs
   * @param busyMillis how long these runs have taken, added up
   */
  public record Spent(String tenant, long tenure, double cost, long runs, long busyMillis) {

    Spent plus(double runCost, long runMillis) {
      return new Spent(tenant, tenure, cost + runCost, runs + 1, busyMillis + runMillis);
    }
  }

  /** A slot that is not there any more, and what its last tenure had spent. */
  public record GoneSlot(int slot, Spent spent) {}
}
