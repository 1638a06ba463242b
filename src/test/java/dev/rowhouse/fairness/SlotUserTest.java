package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class SlotUserTest {
  private static final ActorRef<SlotOwner> WORKER = TestInbox.<SlotOwner>create("w").getRef();

  private final SlotUser user =
      new SlotUser("acme", 1, TestInbox.<SlotHolder>create("acme").getRef());

  private static SlotHolder.Held held(long incarnation, int slot, long seq) {
    return new SlotHolder.Held(new SlotTicket("m", "w", incarnation, slot, seq), WORKER, false);
  }

  private SlotTicket take() {
    SlotUser.HeldTicket taken = user.take("m", false);
    assertNotNull(taken);
    return taken.ticket();
  }

  @Test
  void givesEachTicketOnce() {
    user.offer(held(1, 0, 1));
    assertEquals(held(1, 0, 1).ticket(), take());
    assertNull(user.take("m", false));
  }

  @Test
  void givesATicketForSmallRequestsToSmallOnesOnly() {
    SlotTicket any = held(1, 0, 1).ticket();
    SlotTicket small = held(1, 1, 1).ticket();
    user.offer(held(1, 0, 1));
    user.offer(new SlotHolder.Held(small, WORKER, true));
    SlotUser.HeldTicket first = user.take("m", true);
    assertNotNull(first);
    assertEquals(small, first.ticket());
    assertNotNull(user.take("m", false));
    user.finished(any);
    user.finished(small);
    user.offer(new SlotHolder.Held(held(1, 1, 2).ticket(), WORKER, true));
    assertNull(user.take("m", false));
  }

  @Test
  void seesThroughRepeatsOfUsedAndUnusedTickets() {
    assertTrue(user.offer(held(1, 0, 1)));
    assertFalse(user.offer(held(1, 0, 1)));
    take();
    assertFalse(user.offer(held(1, 0, 1)));
    assertEquals(0, user.idle("m"));
  }

  @Test
  void takesTheNextTicketOfTheSameSlot() {
    user.offer(held(1, 0, 1));
    take();
    assertTrue(user.offer(held(1, 0, 2)));
    assertEquals(1, user.held("m"));
    assertEquals(2, take().seq());
  }

  @Test
  void doesNotTakeAWithdrawnTicketThatComesAgain() {
    user.offer(held(1, 0, 1));
    user.withdrawn(held(1, 0, 1).ticket());
    assertFalse(user.offer(held(1, 0, 1)));
    assertNull(user.take("m", false));
    assertTrue(user.isEmpty());
  }

  @Test
  void keepsAUsedTicketThatIsWithdrawnUntilItsRequestEnds() {
    user.offer(held(1, 0, 1));
    SlotTicket ticket = take();
    user.withdrawn(ticket);
    assertEquals(1, user.held("m"));
    user.finished(ticket);
    assertEquals(0, user.held("m"));
  }

  @Test
  void takesARestartedWorkersTicketsAlthoughTheirNumbersAreLower() {
    user.offer(held(1, 0, 9));
    assertTrue(user.offer(held(2, 0, 1)));
    assertFalse(user.offer(held(1, 0, 10)));
    assertEquals(2, take().incarnation());
  }

  @Test
  void returnsUnusedTicketsOnly() {
    user.offer(held(1, 0, 1));
    user.offer(held(1, 1, 1));
    SlotTicket used = take();
    assertEquals(
        List.of(new SlotUser.HeldTicket(held(1, 1, 1).ticket(), WORKER, false)), user.returnAll());
    assertEquals(1, user.held("m"));
    user.finished(used);
    assertTrue(user.isEmpty());
  }

  @Test
  void demandsUnderRisingVersions() {
    user.offer(held(1, 0, 1));
    FairnessCoordinator.Demand first = user.demand("m", Terms.of(1), Backlog.of(2, 10));
    FairnessCoordinator.Demand second = user.demand("m", Terms.of(1), Backlog.of(0, 10));
    assertEquals(1, first.held());
    assertTrue(second.version() > first.version());
  }

  @Test
  void remembersABoundedNumberOfSlots() {
    for (int slot = 0; slot < SlotUser.SLOTS_MAX + 10; slot++) {
      user.offer(held(1, slot, 1));
    }
    assertEquals(SlotUser.SLOTS_MAX, user.held("m"));
  }
}
