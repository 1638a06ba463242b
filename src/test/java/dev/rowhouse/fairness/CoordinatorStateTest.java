package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class CoordinatorStateTest {
  private static final ActorRef<SlotOwner> FIRST = TestInbox.<SlotOwner>create("first").getRef();
  private static final ActorRef<SlotOwner> AGAIN = TestInbox.<SlotOwner>create("again").getRef();
  private static final ActorRef<SlotOwner> OTHER = TestInbox.<SlotOwner>create("other").getRef();
  private static final ActorRef<SlotHolder> ACME = TestInbox.<SlotHolder>create("acme").getRef();

  private final CoordinatorState state = new CoordinatorState(FairnessSimulation.SETTINGS);

  private static FairnessCoordinator.WorkerTable table(
      String worker, long incarnation, ActorRef<SlotOwner> ref, boolean hasSlot) {
    SlotRow free = new SlotRow(0, 1, null, null, false, null, false, 0, null, null);
    PoolTable pool = new PoolTable("m", 1, 2, null, List.of(free), List.of());
    return new FairnessCoordinator.WorkerTable(
        worker, incarnation, 1, 0, ref, hasSlot ? List.of(pool) : List.of());
  }

  @Test
  void aWorkerThatRestartsWithoutSlotsLeavesItsTenantsToTheOthersAtOnce() {
    state.activate(1, 0);
    state.workerTable(table("w", 1, FIRST, true), 0);
    List<PoolState.Send> first =
        state.demand(new SlotUser("acme", 1, ACME).demand("m", Terms.of(1), Backlog.of(1, 10)), 1);
    assertEquals(List.of(FIRST), first.stream().map(PoolState.Send::worker).toList());
    assertEquals(List.of(), state.workerTable(table("x", 1, OTHER, true), 2));
    List<PoolState.Send> next = state.workerTable(table("w", 2, AGAIN, false), 3);
    assertEquals(List.of(OTHER), next.stream().map(PoolState.Send::worker).toList());
  }
}
