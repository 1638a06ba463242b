package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.HandClock;
import dev.rowhouse.SharedKit;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.MonthUse;
import dev.rowhouse.usage.SecondUse;
import dev.rowhouse.usage.Totals;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The tenant's actor between probes: they are its coordinator, workers, gateways and children. */
class TenantEntityTest {
  @RegisterExtension static final SharedKit KIT = new SharedKit();
  private static final long BATCH_ANSWER_MILLIS = 900;
  private static final Duration QUIET = Duration.ofMillis(150);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** A start of a request is journaled so late that only its end can set off a batch in time. */
  private ServingSettings settings = settings(60_000, 120_000);

  private final Profile profile = new Profile();
  private final HandClock clock = new HandClock(Instant.ofEpochMilli(Samples.NOW));
  private final BlockingQueue<ActorRef<TenantRecord.Notice>> records = new LinkedBlockingQueue<>();
  private final BlockingQueue<ActorRef<LedgerReply.Notice>> ledgers = new LinkedBlockingQueue<>();
  private final BlockingQueue<ActorRef<Object>> censuses = new LinkedBlockingQueue<>();
  private final AtomicBoolean journalIsThere = new AtomicBoolean(true);
  private boolean censusIsEmpty = true;
  private final List<BudgetMark> marks = new CopyOnWriteArrayList<>();
  private final TestProbe<TenantRecord.Command> record = KIT.createTestProbe();
  private final TestProbe<UsageLedger.Command> ledger = KIT.createTestProbe();
  private final TestProbe<FairnessCoordinator.Command> coordinator = KIT.createTestProbe();
  private final TestProbe<ClusterSharding.ShardCommand> shard = KIT.createTestProbe();
  private final TestProbe<SlotOwner> worker = KIT.createTestProbe();
  private final TestProbe<Object> gateway = KIT.createTestProbe();
  private @Nullable ActorRef<TenantEntity.Command> spawned;

  @AfterEach
  void stop() {
    if (spawned != null) {
      KIT.stop(spawned);
    }
  }

  @Test
  void makesTheRequestWaitAsksForASlotAndLetsItGo() throws Exception {
    open();
    String attempt = admit();
    assertEquals(0, receive(Verdict.Waiting.class).ahead());
    FairnessCoordinator.Demand demand = demand();
    assertEquals(1, demand.backlog().pending());
    assertEquals("small", demand.pool());
    assertEquals(10 * 1 + 20 * 2, demand.backlog().headEstimateCost());
    demand.holder().tell(held(1));
    Verdict.Go go = receive(Verdict.Go.class);
    assertEquals(attempt, go.order().attempt());
    assertEquals(ticket(1), go.ticket());
    assertEquals(1, inFlight(go.limits()));
    FairnessCoordinator.Demand after = demandOf(0);
    assertEquals(1, after.held());
    assertTrue(after.version() > demand.version());
  }

  @Test
  void usesATicketAtHandWithoutAskingAnybody() throws Exception {
    open();
    tell(held(1));
    admit();
    assertEquals(ticket(1), receive(Verdict.Go.class).ticket());
    coordinator.expectNoMessage(QUIET);
  }

  @Test
  void answersARepeatedAdmissionAsBefore() throws Exception {
    open();
    Ask ask = new Request().build();
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    receive(Verdict.Waiting.class);
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    receive(Verdict.Waiting.class);
    tell(held(1));
    Verdict.Go go = receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Admit(ask, gateway.ref()));
    assertEquals(go, receive(Verdict.Go.class));
  }

  @Test
  void givesTheTicketOfAClientThatLeftBack() throws Exception {
    open();
    tell(held(1));
    String attempt = admit();
    receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Leave(attempt));
    assertEquals(new SlotOwner.Return(ticket(1)), worker.receiveMessage());
    assertEquals(0, inFlight(limits()));
  }

  @Test
  void endsTheDemandOfAClientThatLeftTheQueue() throws Exception {
    open();
    String attempt = admit();
    assertEquals(1, demand().backlog().pending());
    entity().tell(new TenantEntity.Leave(attempt));
    demandOf(0);
  }

  @Test
  void looksForAnotherSlotWhenTheTicketWasRefused() throws Exception {
    open();
    tell(held(1));
    String attempt = admit();
    receive(Verdict.Go.class);
    entity().tell(new TenantEntity.Requeue(attempt));
    receive(Verdict.Waiting.class);
    FairnessCoordinator.Demand demand = demand();
    assertEquals(1, demand.backlog().pending());
    assertEquals(0, demand.held());
    tell(held(2));
    Verdict.Go second = receive(Verdict.Go.class);
    assertEquals(attempt, second.order().attempt());
    assertEquals(ticket(2), second.ticket());
  }

  @Test
  void refusesWithTheLimitsOfTheMoment() throws Exception {
    profile.limits = new Limits(1L, 1_000L, 5L, null, null, 5L);
    open();
    admit();
    receive(Verdict.Waiting.class);
    admit();
    Verdict.No no = receive(Verdict.No.class);
    assertEquals("rate_limit_exceeded", no.refusal().code());
    assertNotNull(no.limits());
    assertEquals(1, no.limits().requestsPerMinute().used());
  }

  @Test
  void refusesWhenTheQueueIsFullAndGivesThePlaceBack() throws Exception {
    profile.limits = new Limits(10L, 1_000L, 5L, null, null, 1L);
    open();
    admit();
    receive(Verdict.Waiting.class);
    admit();
    assertEquals("queue_full", receive(Verdict.No.class).refusal().code());
    assertEquals(1, inFlight(limits()));
  }

  @Test
  void putsOutOfTheQueueWhoWaitedForLongerThanThePlanSays() throws Exception {
    open();
    admit();
    receive(Verdict.Waiting.class);
    clock.pass(Duration.ofSeconds(31));
    Verdict.No no = assertInstanceOf(Verdict.No.class, gateway.receiveMessage(PATIENCE));
    assertEquals("queue_timeout", no.refusal().code());
    assertEquals(503, no.refusal().httpStatus());
  }

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
  void keepsRequestsWhileItLoadsAndNoMoreThanItMay() throws Exception {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    for (int i = 0; i < 3; i++) {
      admit();
    }
    assertEquals("journal_unavailable", receive(Verdict.No.class).refusal().code());
    gateway.expectNoMessage(QUIET);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    receive(Verdict.Waiting.class);
    receive(Verdict.Waiting.class);
    gateway.expectNoMessage(QUIET);
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

  @Test
  void knowsNoKeyOfATenantThatIsNotThere() throws Exception {
    spawn();
    admit();
    take(records).tell(new TenantRecord.Unknown(Samples.TENANT));
    assertEquals("invalid_api_key", receive(Verdict.No.class).refusal().code());
    TestProbe<TenantEntity.Authorization> answer = KIT.createTestProbe();
    entity().tell(new TenantEntity.Authorize(Samples.KEY, Scope.INFERENCE, answer.ref()));
    assertEquals(
        "invalid_api_key", answer.expectMessageClass(TenantEntity.Denied.class).refusal().code());
  }

  @Test
  void opensWhenTheTenantIsOnboardedLater() throws Exception {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    ofRecord.tell(new TenantRecord.Unknown(Samples.TENANT));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void obeysANewProfileAtOnce() throws Exception {
    ActorRef<TenantRecord.Notice> ofRecord = open();
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    admit();
    assertEquals("rate_limit_exceeded", receive(Verdict.No.class).refusal().code());
  }

  @Test
  void tellsAGatewayOfAResetAndTakesItBackWhenTheProfileChanges() throws Exception {
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    ActorRef<TenantRecord.Notice> ofRecord = open();
    Ask ask = new Request().build();
    TestProbe<Throttle.Notice> throttle = KIT.createTestProbe();
    entity().tell(new TenantEntity.Admit(ask, gateway.ref(), throttle.ref()));
    Verdict.No no = receive(Verdict.No.class);
    assertEquals(
        new Throttle.Until(
            Samples.TENANT, Throttle.Need.of(ask), no.refusal(), assertLimits(no.limits())),
        throttle.receiveMessage(PATIENCE));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    assertEquals(new Throttle.Forget(Samples.TENANT), throttle.receiveMessage(PATIENCE));
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    throttle.expectNoMessage(QUIET);
  }

  @Test
  void leavesNoGatewayWithARefusalWhenItStops() throws Exception {
    profile.limits = new Limits(0L, 1_000L, 5L, null, null, 5L);
    open();
    TestProbe<Throttle.Notice> throttle = KIT.createTestProbe();
    entity().tell(new TenantEntity.Admit(new Request().build(), gateway.ref(), throttle.ref()));
    throttle.receiveMessage(PATIENCE);
    entity().tell(TenantEntity.Retire.RETIRE);
    assertEquals(new Throttle.Forget(Samples.TENANT), throttle.receiveMessage(PATIENCE));
  }

  private static LimitsView assertLimits(@Nullable LimitsView limits) {
    assertNotNull(limits);
    return limits;
  }

  @Test
  void writesWhatIsLeftAndReturnsItsTicketsBeforeItStops() throws Exception {
    open();
    tell(held(7));
    Verdict.Go go = running();
    tell(held(8));
    settle(go.order());
    entity().tell(TenantEntity.Retire.RETIRE);
    assertEquals(new SlotOwner.Return(ticket(8)), worker.receiveMessage());
    UsageLedger.Append append = append();
    TestProbe<Object> watcher = KIT.createTestProbe();
    admit();
    receive(Verdict.Moved.class);
    append.replyTo().tell(new LedgerReply.Appended(append.batch()));
    receive(Verdict.Durable.class);
    watcher.expectTerminated(entity(), PATIENCE);
  }

  @Test
  void stopsAtOnceWithNothingInHand() throws Exception {
    open();
    entity().tell(TenantEntity.Retire.RETIRE);
    KIT.createTestProbe().expectTerminated(entity(), PATIENCE);
  }

  @Test
  void asksToBePutToSleepWhenItIsIdleAndGivesItsTicketsBack() throws Exception {
    settings = settings(60_000, 50);
    open();
    tell(held(1));
    limits(); // it has the ticket
    clock.pass(Duration.ofMillis(51));
    assertInstanceOf(ClusterSharding.Passivate.class, shard.receiveMessage(PATIENCE));
    assertEquals(new SlotOwner.Return(ticket(1)), worker.receiveMessage());
  }

  @Test
  void staysAwakeWhileARequestIsInHand() throws Exception {
    settings = settings(60_000, 50);
    open();
    admit();
    demand();
    clock.pass(Duration.ofMillis(51));
    for (int tick = 0; tick < 3; tick++) {
      demand();
    }
    shard.expectNoMessage(QUIET);
  }

  @Test
  void startsItsRecordAgainWhenThatStopped() throws Exception {
    open();
    TestProbe<TenantReply> replies = KIT.createTestProbe();
    administer("stop", replies.ref());
    record.receiveMessage();
    take(records).tell(new TenantRecord.ProfileChanged(profile.build()));
    administer("on", replies.ref());
    record.receiveMessage();
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
  void admitsNothingNewBeforeItKnowsWhatRunsAndWaits() throws Exception {
    profile.limits = new Limits(100L, 100_000L, 3L, null, null, 5L);
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    admit();
    Request running = new Request();
    Request waiting = new Request();
    Request orphan = new Request();
    for (Request request : List.of(running, waiting, orphan)) {
      request.receivedAtMillis = clock.millis();
      request.deadlineMillis = request.receivedAtMillis + 300_000;
    }
    Verdict.Go go = goOf(running);
    // A request may speak before its gateway has said how many there are.
    entity.tell(new Census.Present(running.build(), gateway.ref(), go));
    entity.tell(new Census.Asked(3));
    entity.tell(new Census.Told(0));
    entity.tell(new Census.Told(2));
    entity.tell(new WorkerCommand.Runs(List.of(go.order(), goOf(orphan).order())));
    gateway.expectNoMessage(QUIET);
    entity.tell(new Census.Present(waiting.build(), gateway.ref(), null));
    assertEquals(0, receive(Verdict.Waiting.class).ahead(), "the one that waited keeps its place");
    assertEquals("concurrency_exceeded", receive(Verdict.No.class).refusal().code());
    assertEquals(3, inFlight(limits()), "one runs, one waits, one runs without a gateway");
    assertEquals(1, demandOf(1).backlog().pending());
    settle(go.order());
    settle(goOf(orphan).order());
    assertEquals(1, inFlight(limits()));
    tell(held(1));
    assertEquals(waiting.attempt, receive(Verdict.Go.class).order().attempt());
  }

  @Test
  void countsNothingThatWasSettledWhileItAsked() throws Exception {
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    Request running = new Request();
    Verdict.Go go = goOf(running);
    settle(go.order());
    entity.tell(new Census.Asked(1));
    entity.tell(new Census.Told(1));
    entity.tell(new Census.Present(running.build(), gateway.ref(), go));
    assertEquals(0, inFlight(limits()));
  }

  @Test
  void waitsForACensusNoLongerThanItMay() throws Exception {
    settings = settings(60_000, 120_000, 100);
    censusIsEmpty = false;
    open();
    ActorRef<Object> entity = take(censuses);
    entity.tell(new Census.Asked(2));
    entity.tell(new Census.Told(0));
    admit();
    receive(Verdict.Waiting.class);
  }

  @Test
  void tellsThoseThatWaitToAskTheNextIncarnation() throws Exception {
    open();
    admit();
    receive(Verdict.Waiting.class);
    entity().tell(TenantEntity.Retire.RETIRE);
    receive(Verdict.Moved.class);
  }

  private Verdict.Go goOf(Request request) {
    InFlight admitted =
        new InFlight(
            request.build(),
            new Route(Samples.SMALL, List.of(), null),
            gateway.ref(),
            0,
            0,
            List.of(),
            0,
            true);
    return new Verdict.Go(
        new Orders(Samples.TENANT).order(admitted, profile.build(), clock.millis()),
        ticket(7),
        worker.ref(),
        Samples.desk(profile.build()).view("k1", clock.millis()));
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

  private void spawn() {
    ServingParts parts =
        new ServingParts(
            settings,
            clock,
            new CatalogReplica(Samples.catalog()),
            Samples.HOUSE,
            coordinator.ref(),
            (tenant, parent) -> recordThatTells(parent),
            (tenant, zone, parent) -> ledgerThatTells(parent),
            ZoneOffset.UTC,
            KIT.spawn(censusThatIsTold()),
            journalIsThere::get,
            marks::add);
    spawned = KIT.spawn(TenantEntity.create(Samples.TENANT, parts, shard.ref()));
  }

  /** Knows of nothing, unless a test answers in its place. */
  private Behavior<Census.Command> censusThatIsTold() {
    return Behaviors.receiveMessage(
        command -> {
          if (command instanceof Census.Take take) {
            if (censusIsEmpty) {
              take.asker().tell(new Census.Asked(0));
            } else {
              censuses.add(take.asker());
            }
          }
          return Behaviors.same();
        });
  }

  /** Hands what it gets to the probe; a Suspend makes it stop, as a failed journal does. */
  private Behavior<TenantRecord.Command> recordThatTells(ActorRef<TenantRecord.Notice> parent) {
    return Behaviors.setup(
        context -> {
          records.add(parent);
          return Behaviors.receiveMessage(
              command -> {
                record.ref().tell(command);
                boolean stops =
                    command instanceof TenantRecord.Execute execute
                        && execute.command() instanceof TenantCommand.Suspend;
                return stops ? Behaviors.stopped() : Behaviors.same();
              });
        });
  }

  /** Hands what it gets to the probe; a question for its status breaks it. */
  private Behavior<UsageLedger.Command> ledgerThatTells(ActorRef<LedgerReply.Notice> parent) {
    return Behaviors.setup(
        context -> {
          ledgers.add(parent);
          return Behaviors.receiveMessage(
              command -> {
                ledger.ref().tell(command);
                if (command instanceof UsageLedger.GetTotals) {
                  throw new IllegalStateException("broken, as the test wants it");
                }
                return Behaviors.same();
              });
        });
  }

  private ActorRef<TenantRecord.Notice> open() throws InterruptedException {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    return ofRecord;
  }

  private ActorRef<TenantEntity.Command> entity() {
    assertNotNull(spawned);
    return spawned;
  }

  private void tell(SlotHolder message) {
    entity().<Object>unsafeUpcast().tell(message);
  }

  private String admit() {
    Request request = new Request();
    request.receivedAtMillis = Samples.NOW;
    request.deadlineMillis = request.receivedAtMillis + 300_000;
    entity().tell(new TenantEntity.Admit(request.build(), gateway.ref()));
    return request.attempt;
  }

  private Verdict.Go running() {
    tell(held(1));
    admit();
    return receive(Verdict.Go.class);
  }

  private void administer(String what, ActorRef<TenantReply> replyTo) {
    TenantCommand command =
        what.equals("stop") ? new TenantCommand.Suspend("r1") : new TenantCommand.Resume("r2");
    entity().tell(new TenantEntity.Administer(command, replyTo));
  }

  private void settle(RunOrder order) {
    RunReport report =
        new RunReport(
            order,
            RunReport.Outcome.COMPLETED,
            10,
            5,
            false,
            "small",
            null,
            null,
            null,
            200,
            5,
            20);
    entity().tell(new TenantEntity.Settle(report, worker.ref().narrow(), gateway.ref()));
  }

  private static RunOrder orderOf(RunOrder order, String attempt) {
    assertNotEquals(order.attempt(), attempt);
    return new RunOrder(
        attempt,
        order.tenant(),
        order.keyId(),
        order.modelAsked(),
        order.model(),
        order.fallbacks(),
        order.stream(),
        order.includeUsage(),
        order.label(),
        order.admittedAt(),
        order.queueMillis(),
        order.deadline(),
        order.inputTokens(),
        order.retrieval(),
        order.prompt(),
        order.variables(),
        order.bodyBytes());
  }

  private static long inFlight(LimitsView limits) {
    LimitsView.Row row = limits.tenant().concurrentRequests();
    assertNotNull(row);
    return row.used();
  }

  private LimitsView limits() {
    TestProbe<TenantEntity.Authorization> answer = KIT.createTestProbe();
    entity().tell(new TenantEntity.Authorize(Samples.KEY, Scope.INFERENCE, answer.ref()));
    return answer.expectMessageClass(TenantEntity.Granted.class, PATIENCE).limits();
  }

  private UsageLedger.Append append() {
    return assertInstanceOf(UsageLedger.Append.class, ledger.receiveMessage(PATIENCE));
  }

  private FairnessCoordinator.Demand demand() {
    return assertInstanceOf(FairnessCoordinator.Demand.class, coordinator.receiveMessage(PATIENCE));
  }

  /** The next demand of so many; each tick repeats what is still wanted. */
  private FairnessCoordinator.Demand demandOf(int pending) {
    FairnessCoordinator.Demand demand = demand();
    while (demand.backlog().pending() != pending) {
      demand = demand();
    }
    return demand;
  }

  private <T> T receive(Class<T> type) {
    return assertInstanceOf(type, gateway.receiveMessage(PATIENCE));
  }

  private static <T> T take(BlockingQueue<T> from) throws InterruptedException {
    T next = from.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertNotNull(next);
    return next;
  }

  private SlotHolder.Held held(long seq) {
    return new SlotHolder.Held(ticket(seq), worker.ref(), false);
  }

  private static SlotTicket ticket(long seq) {
    return new SlotTicket("small", "w1", 1, 0, seq);
  }

  private static ServingSettings settings(long startedLingerMillis, long passivateAfterMillis) {
    return settings(startedLingerMillis, passivateAfterMillis, 600_000);
  }

  private static ServingSettings settings(
      long startedLingerMillis, long passivateAfterMillis, long censusMaxMillis) {
    return new ServingSettings(
        100,
        2,
        startedLingerMillis,
        50,
        100,
        BATCH_ANSWER_MILLIS,
        2,
        passivateAfterMillis,
        30_000,
        censusMaxMillis,
        1_000,
        1_000_000,
        100);
  }
}
