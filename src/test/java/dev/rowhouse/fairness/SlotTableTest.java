package dev.rowhouse.fairness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.fairness.PoolTable.SlotRow;
import dev.rowhouse.fairness.SlotEffect.Mint;
import dev.rowhouse.fairness.SlotEffect.Report;
import dev.rowhouse.fairness.SlotEffect.Withdraw;
import dev.rowhouse.fairness.StartDecision.Accepted;
import dev.rowhouse.fairness.StartDecision.Reason;
import dev.rowhouse.fairness.StartDecision.Refused;
import dev.rowhouse.fairness.StartDecision.Repeated;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.ModelSpec;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SlotTableTest {
  private static final ActorRef<SlotHolder> ACME = TestInbox.<SlotHolder>create("acme").getRef();
  private static final ActorRef<SlotHolder> GLOBEX =
      TestInbox.<SlotHolder>create("globex").getRef();

  private final SlotTable table = new SlotTable("m", "w", 7);

  @BeforeEach
  void oneSlot() {
    table.resize(1);
  }

  private static SlotOwner.Grant grant(long seq, boolean hold) {
    return new SlotOwner.Grant(1, "m", 0, seq, "acme", ACME, hold, false);
  }

  /** Of the first tenure, before a run has ended; one that ended here cost nothing. */
  private static final PoolTable.Spent SPENT = new PoolTable.Spent("acme", 1, 0, 0, 0);

  private static SlotTicket ticket(long seq) {
    return new SlotTicket("m", "w", 7, 0, seq);
  }

  private static List<SlotEffect> freed() {
    return List.of(new Report(true));
  }

  private SlotRow row() {
    return table.rows().getFirst();
  }

  private StartDecision start(long seq, String attempt) {
    return table.start(ticket(seq), "acme", attempt, 0);
  }

  @Nested
  class WhenFree {
    @Test
    void aGrantMintsATicketForTheHolder() {
      assertEquals(
          List.of(new Mint(ticket(1), ACME, false), new Report(false)),
          table.grant(grant(1, true)));
      assertEquals(new SlotRow(0, 1, "acme", ACME, false, null, true, 0, SPENT, null), row());
    }

    @Test
    void aGrantWithAnotherNumberShowsTheCoordinatorTheTable() {
      assertEquals(freed(), table.grant(grant(9, true)));
      assertTrue(row().free());
    }

    @Test
    void noTicketStartsAnything() {
      assertEquals(new Refused(Reason.NOT_HELD), start(1, "a"));
    }

    @Test
    void aReclaimVoidsAGrantThatIsLate() {
      assertEquals(freed(), table.reclaim(0, 1));
      table.grant(grant(1, true));
      assertTrue(row().free());
      assertEquals(2, row().seq());
    }

    @Test
    void aRecallOfAnEarlierTenureChangesNothing() {
      table.recall(0, 1);
      assertEquals(1, row().seq());
    }
  }

  @Nested
  class WhenHeld {
    @BeforeEach
    void held() {
      table.grant(grant(1, true));
    }

    @Test
    void itsTicketStartsOneRequestAndRaisesTheNumber() {
      assertEquals(new Accepted(), start(1, "a"));
      assertEquals(new SlotRow(0, 2, "acme", ACME, true, "a", true, 0, SPENT, null), row());
    }

    @Test
    void theSameStartAgainIsARepeat() {
      start(1, "a");
      assertEquals(new Repeated(), start(1, "a"));
    }

    @Test
    void aSecondUseOfTheTicketIsRefused() {
      start(1, "a");
      assertEquals(new Refused(Reason.OTHER_SEQ), start(1, "b"));
    }

    @Test
    void theUsedTicketIsRefusedAfterTheRunToo() {
      start(1, "a");
      table.finish(0, "a", 0, 0);
      assertEquals(new Refused(Reason.OTHER_SEQ), start(1, "b"));
    }

    @Test
    void aLateRepeatOfTheSameStartRunsNothingAndIsNotRefused() {
      start(1, "a");
      table.finish(0, "a", 0, 0);
      assertEquals(new Repeated(), start(1, "a"));
      assertFalse(row().running());
    }

    @Test
    void anotherTenantsUseOfTheTicketIsRefused() {
      assertEquals(new Refused(Reason.OTHER_TENANT), table.start(ticket(1), "globex", "a", 0));
      assertEquals(new Accepted(), start(1, "a"));
    }

    @Test
    void aTicketOfAnEarlierIncarnationOrAnotherWorkerIsRefused() {
      assertEquals(
          new Refused(Reason.OTHER_INCARNATION),
          table.start(new SlotTicket("m", "w", 6, 0, 1), "acme", "a", 0));
      assertEquals(
          new Refused(Reason.OTHER_INCARNATION),
          table.start(new SlotTicket("m", "x", 7, 0, 1), "acme", "a", 0));
      assertEquals(
          new Refused(Reason.UNKNOWN_SLOT),
          table.start(new SlotTicket("m", "w", 7, 5, 1), "acme", "a", 0));
    }

    @Test
    void theSameGrantAgainIsIgnoredAndAnothersIsNot() {
      assertEquals(List.of(), table.grant(grant(1, true)));
      assertEquals(
          freed(), table.grant(new SlotOwner.Grant(1, "m", 0, 1, "globex", GLOBEX, true, false)));
      assertEquals("acme", row().holder());
    }

    @Test
    void aRecallWithdrawsTheTicketAndVoidsIt() {
      assertEquals(List.of(new Withdraw(ticket(1), ACME), new Report(true)), table.recall(0, 1));
      assertEquals(new SlotRow(0, 2, null, null, false, null, false, 0, SPENT, null), row());
      assertEquals(new Refused(Reason.OTHER_SEQ), start(1, "a"));
    }

    @Test
    void aReturnFreesItAndASecondReturnDoesNothing() {
      assertEquals(freed(), table.giveBack(ticket(1)));
      table.grant(new SlotOwner.Grant(1, "m", 0, 2, "globex", GLOBEX, true, false));
      assertEquals(List.of(), table.giveBack(ticket(1)));
      assertEquals("globex", row().holder());
    }

    @Test
    void theUnusedTicketIsRepeatedLessAndLessOften() {
      int repeats = 0;
      for (int call = 0; call < 64; call++) {
        repeats += table.repeatMints().size();
      }
      assertEquals(7, repeats);
    }
  }

  @Nested
  class WhenRunning {
    @Test
    void theEndOfAKeptSlotMintsTheNextTicketForTheHolder() {
      table.grant(grant(1, true));
      start(1, "a");
      assertEquals(List.of(new Mint(ticket(2), ACME, false)), table.finish(0, "a", 0, 0));
    }

    @Test
    void theEndOfAOneRunSlotFreesIt() {
      table.grant(grant(1, false));
      start(1, "a");
      assertEquals(freed(), table.finish(0, "a", 0, 0));
      assertEquals(
          new SlotRow(0, 2, null, null, false, null, false, 0, SPENT.plus(0, 0), null), row());
    }

    @Test
    void aRecallLetsTheRunEndAndFreesTheSlotThen() {
      table.grant(grant(1, true));
      start(1, "a");
      table.recall(0, 1);
      assertTrue(row().running());
      assertFalse(row().hold());
      assertEquals(freed(), table.finish(0, "a", 0, 0));
      assertTrue(row().free());
    }

    @Test
    void aReclaimLetsTheRunEndToo() {
      table.grant(grant(1, true));
      start(1, "a");
      table.reclaim(0, 2);
      assertTrue(row().running());
      table.finish(0, "a", 0, 0);
      assertTrue(row().free());
    }

    @Test
    void theEndOfAnotherAttemptChangesNothing() {
      table.grant(grant(1, true));
      start(1, "a");
      assertEquals(List.of(), table.finish(0, "b", 0, 0));
      assertTrue(row().running());
    }

    @Test
    void aGrantOfARunningSlotIsIgnored() {
      table.grant(grant(1, false));
      start(1, "a");
      table.grant(new SlotOwner.Grant(1, "m", 0, 2, "globex", GLOBEX, true, false));
      assertEquals("acme", row().holder());
    }
  }

  @Nested
  class WhenThePoolChangesSize {
    @Test
    void anIdleSlotGoesWithItsTicket() {
      table.grant(grant(1, true));
      assertEquals(List.of(new Withdraw(ticket(1), ACME), new Report(true)), table.resize(0));
      assertEquals(0, table.size());
    }

    @Test
    void aRunningSlotGoesAfterItsRun() {
      table.grant(grant(1, true));
      start(1, "a");
      table.resize(0);
      assertEquals(1, table.running());
      table.finish(0, "a", 0, 0);
      assertEquals(0, table.size());
    }

    @Test
    void aSlotThatComesBackStartsAboveEveryNumberItHad() {
      table.grant(grant(1, true));
      start(1, "a");
      table.finish(0, "a", 0, 0);
      table.resize(0);
      table.resize(1);
      assertEquals(4, row().seq());
      assertNull(row().holder());
    }
  }

  @Nested
  class AmongAllSlotsOfAWorker {
    private final WorkerSlots slots = new WorkerSlots("w", 7);

    private static ModelSpec model(String name, int count) {
      return new ModelSpec(name, "embedded", null, null, null, count, null, 0, 0, 1, 2, null, null);
    }

    private Catalog catalog(long version, ModelSpec model) {
      return new Catalog(version, Map.of(model.name(), model), Map.of());
    }

    private PoolTable pool() {
      return slots.table(TestInbox.<SlotOwner>create("worker").getRef()).pools().getFirst();
    }

    @BeforeEach
    void twoSlots() {
      slots.catalog(catalog(1, model("m", 2)));
    }

    @Test
    void anOldEpochIsNotObeyed() {
      slots.on(new SlotOwner.Grant(5, "m", 0, 1, "acme", ACME, true, false));
      assertEquals(List.of(), slots.on(new SlotOwner.Recall(4, "m", 0, 1)));
      assertEquals(
          List.of(), slots.on(new SlotOwner.Grant(4, "m", 1, 1, "globex", GLOBEX, true, false)));
      assertEquals("acme", pool().rows().get(0).holder());
      assertTrue(pool().rows().get(1).free());
    }

    @Test
    void costsAddUpByTheWeightsOfTheModel() {
      slots.on(new SlotOwner.Grant(5, "m", 0, 1, "acme", ACME, true, false));
      slots.start(ticket(1), "acme", "a", 0);
      slots.finish(ticket(1), "a", 10, 20, 0);
      assertEquals(new PoolTable.Spent("acme", 1, 50, 1, 0), pool().rows().getFirst().spent());
    }

    @Test
    void aRowTellsWhatTheTenureBeforeSpentToo() {
      slots.on(new SlotOwner.Grant(5, "m", 0, 1, "acme", ACME, false, false));
      slots.start(ticket(1), "acme", "a", 100);
      slots.finish(ticket(1), "a", 10, 20, 130);
      slots.on(new SlotOwner.Grant(5, "m", 0, 2, "globex", GLOBEX, false, false));
      SlotRow row = pool().rows().getFirst();
      assertEquals(new PoolTable.Spent("acme", 1, 50, 1, 30), row.before());
      assertEquals(new PoolTable.Spent("globex", 2, 0, 0, 0), row.spent());
    }

    @Test
    void aRowTellsWhatAnOpenRunHasSpentSoFar() {
      slots.on(new SlotOwner.Grant(5, "m", 0, 1, "acme", ACME, false, false));
      slots.start(ticket(1), "acme", "a", 0);
      slots.progress(ticket(1), "a", 10, 5);
      slots.progress(ticket(1), "b", 1_000, 5);
      assertEquals(20, pool().rows().getFirst().progressCost());
      slots.finish(ticket(1), "a", 10, 20, 0);
      assertEquals(0, pool().rows().getFirst().progressCost());
    }

    @Test
    void aSlotThatIsGoneIsToldOfForAWhile() {
      slots.on(new SlotOwner.Grant(5, "m", 1, 1, "acme", ACME, false, false));
      SlotTicket ticket = new SlotTicket("m", "w", 7, 1, 1);
      slots.start(ticket, "acme", "a", 0);
      slots.cap("m", 1);
      slots.finish(ticket, "a", 10, 20, 0);
      PoolTable.Spent spent = new PoolTable.Spent("acme", 1, 50, 1, 0);
      for (int table = 0; table < SlotTable.GONE_TABLES; table++) {
        assertEquals(List.of(new PoolTable.GoneSlot(1, spent)), pool().gone());
      }
      assertEquals(List.of(), pool().gone());
    }

    @Test
    void aCapTakesSlotsOutAndBack() {
      slots.cap("m", 0);
      assertEquals(Map.of(), slots.sizes());
      slots.cap("m", 1);
      assertEquals(Map.of("m", 1), slots.sizes());
      slots.cap("m", Integer.MAX_VALUE);
      assertEquals(Map.of("m", 2), slots.sizes());
    }

    @Test
    void aClosedWorkerKeepsItsRunsOnly() {
      slots.on(new SlotOwner.Grant(5, "m", 0, 1, "acme", ACME, true, false));
      slots.start(ticket(1), "acme", "a", 0);
      slots.close(true);
      assertEquals(Map.of("m", 1), slots.sizes());
      slots.finish(ticket(1), "a", 1, 1, 0);
      assertEquals(Map.of(), slots.sizes());
      slots.close(false);
      assertEquals(Map.of("m", 2), slots.sizes());
    }

    @Test
    void aModelThatLeavesTheCatalogTakesItsSlotsAlong() {
      slots.catalog(catalog(2, model("other", 1)));
      assertEquals(Map.of("other", 1), slots.sizes());
    }
  }
}
