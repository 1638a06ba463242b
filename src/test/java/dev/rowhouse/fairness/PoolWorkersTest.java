package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class PoolWorkersTest {
  private static final ActorRef<SlotOwner> OWNER = TestInbox.<SlotOwner>create("owner").getRef();

  /** Shares of a cluster-wide bound among workers with so many slots. */
  private static List<Integer> shares(int total, int... sizes) {
    PoolWorkers workers = new PoolWorkers();
    for (int number = 0; number < sizes.length; number++) {
      PoolWorker worker = new PoolWorker("w" + number, 1, OWNER);
      worker.slotsTotal(total);
      for (int slot = 0; slot < sizes[number]; slot++) {
        worker.slot(new SlotRow(slot, 1, null, null, false, null, false, 0, null, null), 0);
      }
      workers.put(worker);
    }
    workers.recount();
    return workers.all().stream().map(worker -> worker.share).toList();
  }

  @Test
  void aBoundIsDividedEvenly() {
    assertEquals(List.of(3, 2, 2), shares(7, 7, 7, 7));
  }

  @Test
  void whatAWorkerHasNoSlotsForGoesToTheOthers() {
    assertEquals(List.of(0, 1), shares(1, 0, 1));
    assertEquals(List.of(1, 3, 3), shares(7, 1, 7, 7));
  }

  @Test
  void aBoundAboveAllSlotsLeavesEachItsOwn() {
    assertEquals(List.of(2, 3), shares(9, 2, 3));
  }
}
