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
 * @param costs the tenants whose runs ended here lately
 */
public record PoolTable(
    String pool,
    double inputWeight,
    double outputWeight,
    @Nullable Integer slotsTotal,
    List<SlotRow> rows,
    List<CostRow> costs) {

  public PoolTable {
    rows = List.copyOf(rows);
    costs = List.copyOf(costs);
  }

  /**
   * One slot. Without a holder it is free.
   *
   * @param seq the number that the next accepted ticket bears
   * @param attempt the attempt that runs, if one does
   * @param hold whether the holder keeps the slot after its run
   * @param spentCost weighted tokens that the run has spent so far, as far as they are known
   */
  public record SlotRow(
      int slot,
      long seq,
      @Nullable String holder,
      @Nullable ActorRef<SlotHolder> holderRef,
      boolean running,
      @Nullable String attempt,
      boolean hold,
      double spentCost) {

    public boolean free() {
      return holder == null && !running;
    }
  }

  /**
   * What a tenant's runs have cost in this pool at this worker since the row was opened. A row is
   * closed when the tenant was quiet for long; a later one starts from zero under a new number.
   *
   * @param opened a number that is larger for every row opened later
   * @param cumulativeCost weighted tokens
   * @param runs ended runs
   * @param busyMillis how long these runs have taken, added up
   */
  public record CostRow(
      String tenant, long opened, double cumulativeCost, long runs, long busyMillis) {}
}
