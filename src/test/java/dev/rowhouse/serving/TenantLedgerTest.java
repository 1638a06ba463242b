package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.MonthUse;
import dev.rowhouse.usage.SecondUse;
import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** The tenant's actor and its ledger: what is durable, what counts, and a journal that is away. */
class TenantLedgerTest extends TenantEntityFixture {
  @Test
  void tellsWorkerAndGatewayWhenARecordIsDurableAndNotBefore() throws Exception {
    open();
    Verdict.Go go = running();
    settle(go.order());
    UsageLedger.Append append = append();
    assertEquals(go.order().attempt(), append.records().getFirst().attempt());
    assertEquals(10 * 2 + 5 * 6, append.records().getFirst().costMicros());
    assertTrue(append.started().isEmpty(), "the start of a short request is written");
    gateway.expectNoMessage(QUIET);
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    assertEquals(new WorkerCommand.Settled(go.order().attempt()), worker.receiveMessage());
    assertEquals(go.order().attempt(), receive(Verdict.Durable.class).attempt());
    assertEquals(15, limits().tokensPerMinute().used());
  }

  @Test
  void answersARepeatedSettlementAtOnceAndWritesItOnce() throws Exception {
    open();
    Verdict.Go go = running();
    settle(go.order());
    settle(go.order());
    UsageLedger.Append append = append();
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    receive(Verdict.Durable.class);
    worker.receiveMessage();
    settle(go.order());
    assertEquals(new WorkerCommand.Settled(go.order().attempt()), worker.receiveMessage());
    receive(Verdict.Durable.class);
    ledger.expectNoMessage(QUIET);
    assertEquals(15, limits().tokensPerMinute().used());
  }

  @Test
  void takesASettlementOfARunThatAnEarlierOneAdmitted() throws Exception {
    open();
    Verdict.Go go = running();
    String other = Samples.attempt();
    settle(orderOf(go.order(), other));
    UsageLedger.Append append = append();
    assertEquals(other, append.records().getFirst().attempt());
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    assertEquals(new WorkerCommand.Settled(other), worker.receiveMessage());
  }

  @Test
  void countsNothingAgainThatAnEarlierOneHasSettled() throws Exception {
    open();
    RunOrder order = running().order();
    String before = Samples.attempt();
    spawn();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    ActorRef<LedgerReply.Notice> ofLedger = take(ledgers);
    // The one tells of it before the ledger is read, the other one after.
    settle(orderOf(order, before));
    ledger.expectNoMessage(QUIET);
    ofLedger.tell(
        new LedgerReply.Opened(
            "Z",
            Totals.NONE,
            new MonthUse("2026-03", 1, 15, 0, 0),
            List.of(new SecondUse(Instant.now().getEpochSecond(), 1, 15)),
            Map.of(),
            Map.of(),
            List.of(),
            List.of(before)));
    assertEquals(new WorkerCommand.Settled(before), worker.receiveMessage());
    settle(orderOf(order, before));
    assertEquals(new WorkerCommand.Settled(before), worker.receiveMessage());
    ledger.expectNoMessage(QUIET);
    assertEquals(15, limits().tokensPerMinute().used());
  }

  @Test
  void writesTheStartOfALongRequest() throws Exception {
    settings = settings(50, 120_000);
    open();
    Verdict.Go go = running();
    clock.pass(Duration.ofMillis(50));
    UsageLedger.Append append = append();
    assertEquals(go.order().attempt(), append.started().getFirst().attempt());
    assertTrue(append.records().isEmpty());
  }

  @Test
  void doesNotWriteTheStartOfARequestThatLeftBeforeItRan() throws Exception {
    settings = settings(50, 120_000);
    open();
    Verdict.Go go = running();
    entity().tell(new TenantEntity.Leave(go.order().attempt()));
    limits(); // it has heard of that
    clock.pass(Duration.ofMillis(50));
    tell(held(2));
    admit();
    Verdict.Go other = receive(Verdict.Go.class);
    clock.pass(Duration.ofMillis(50));
    UsageLedger.Append append = append();
    assertEquals(1, append.started().size());
    assertEquals(other.order().attempt(), append.started().getFirst().attempt());
  }

  @Test
  void admitsNothingWhileTheJournalIsAwayAndOpensByItself() throws Exception {
    open();
    Verdict.Go go = running();
    settle(go.order());
    UsageLedger.Append first = append();
    first.replyTo().tell(new LedgerReply.AppendFailed(first.batch(), "disk full"));
    UsageLedger.Append again = append();
    assertEquals(first.batch(), again.batch());
    assertEquals(first.records(), again.records());
    admit();
    Verdict.No no = receive(Verdict.No.class);
    assertEquals("journal_unavailable", no.refusal().code());
    assertEquals(503, no.refusal().httpStatus());
    again.replyTo().tell(new LedgerReply.Appended(again.batch()));
    receive(Verdict.Durable.class);
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void admitsNothingWhileTheJournalIsAwayOrSilentAndOpensByItself() throws Exception {
    open();
    journalIsThere.set(false);
    admit();
    Refusal away = receive(Verdict.No.class).refusal();
    assertEquals("journal_unavailable", away.code());
    assertTrue(away.resetMillis() > 0, "says when to come again");
    journalIsThere.set(true);
    Verdict.Go go = running();
    settle(go.order());
    UsageLedger.Append append = append();
    clock.pass(Duration.ofMillis(BATCH_ANSWER_MILLIS + 1));
    admit();
    assertEquals("journal_unavailable", receive(Verdict.No.class).refusal().code());
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    receive(Verdict.Durable.class);
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void startsItsLedgerAgainWhenThatBrokeAndSendsTheBatchAgain() throws Exception {
    open();
    Verdict.Go go = running();
    TestProbe<LedgerReply.Sums> sums = KIT.createTestProbe();
    settle(go.order());
    UsageLedger.Append lost = append();
    entity().tell(new TenantEntity.QueryLedger(new UsageLedger.GetTotals(sums.ref())));
    assertInstanceOf(UsageLedger.GetTotals.class, ledger.receiveMessage());
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    UsageLedger.Append again = append();
    assertEquals(lost.records(), again.records());
    again.replyTo().tell(new LedgerReply.Appended(again.batch()));
    receive(Verdict.Durable.class);
    assertEquals(15, limits().tokensPerMinute().used(), "what is in hand counts once");
  }

  @Test
  void tellsTheRecordOnceThatABudgetIsNearlyUsedUp() throws Exception {
    profile.limits = new Limits(100L, 100_000L, 10L, 100L, null, 5L);
    spawn();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 66, 0));
    Verdict.Go go = running();
    settle(go.order());
    BudgetMark mark =
        assertInstanceOf(
                TenantCommand.MarkBudget.class,
                record.expectMessageClass(TenantRecord.Execute.class).command())
            .mark();
    assertEquals(BudgetMark.TOKENS, mark.limit());
    assertEquals(80, mark.percent());
    assertEquals(List.of(mark), marks);
  }

  @Test
  void answersAtOnceWhileTheLedgerCannotBeReadAndServesWhenItCan() throws Exception {
    spawn();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    ActorRef<LedgerReply.Notice> ofLedger = take(ledgers);
    admit();
    ofLedger.tell(new LedgerReply.Unread("a row is damaged"));
    assertEquals("journal_unavailable", receive(Verdict.No.class).refusal().code());
    admit();
    Refusal refusal = receive(Verdict.No.class).refusal();
    assertEquals(503, refusal.httpStatus());
    assertTrue(refusal.message().contains("cannot be read"), refusal.message());
    ofLedger.tell(Samples.opened(0, 0, 0, 0));
    assertEquals(100_000, limits().tokensPerMinute().limit());
  }

  @Test
  void readsTheLedgerAnewWhenTheTimeZoneOfTheMonthsChanges() throws Exception {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    profile.timeZone = "Pacific/Auckland";
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    ActorRef<LedgerReply.Notice> ofLedger = take(ledgers);
    assertEquals(100_000, limits().tokensPerMinute().limit(), "it goes on serving meanwhile");
    ofLedger.tell(
        new LedgerReply.Opened(
            "Pacific/Auckland",
            Totals.NONE,
            new MonthUse("2026-04", 1, 77, 0, 0),
            List.of(),
            Map.of(),
            Map.of(),
            List.of(),
            List.of()));
    profile.limits = new Limits(100L, 100_000L, 10L, 1_000L, null, 5L);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    LimitsView.Row month = limits().tenant().tokensPerMonth();
    assertNotNull(month);
    assertEquals(77, month.used());
  }

  @Test
  void goesOnFromWhatTheLedgerSaysWasUsed() throws Exception {
    spawn();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers)
        .tell(
            new LedgerReply.Opened(
                "Z",
                Totals.NONE,
                new MonthUse("2026-03", 1, 0, 0, 0),
                List.of(new SecondUse(Instant.now().getEpochSecond(), 3, 400)),
                Map.of(),
                Map.of(),
                List.of(),
                List.of()));
    assertEquals(3, limits().requestsPerMinute().used());
    assertEquals(400, limits().tokensPerMinute().used());
  }
}
