package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.rowhouse.HandClock;
import dev.rowhouse.SharedKit;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.serving.Samples.Profile;
import dev.rowhouse.serving.Samples.Request;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
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
import org.junit.jupiter.api.extension.RegisterExtension;

/** A tenant's actor between probes: they are its coordinator, workers, gateways and children. */
abstract class TenantEntityFixture {
  @RegisterExtension static final SharedKit KIT = new SharedKit();
  static final long BATCH_ANSWER_MILLIS = 900;
  static final Duration QUIET = Duration.ofMillis(150);
  static final Duration PATIENCE = Duration.ofSeconds(20);

  /** A start of a request is journaled so late that only its end can set off a batch in time. */
  ServingSettings settings = settings(60_000, 120_000);

  final Profile profile = new Profile();
  final HandClock clock = new HandClock(Instant.ofEpochMilli(Samples.NOW));
  final BlockingQueue<ActorRef<TenantRecord.Notice>> records = new LinkedBlockingQueue<>();
  final BlockingQueue<ActorRef<LedgerReply.Notice>> ledgers = new LinkedBlockingQueue<>();
  final BlockingQueue<ActorRef<Object>> censuses = new LinkedBlockingQueue<>();
  final AtomicBoolean journalIsThere = new AtomicBoolean(true);
  boolean censusIsEmpty = true;
  final List<BudgetMark> marks = new CopyOnWriteArrayList<>();
  final TestProbe<TenantRecord.Command> record = KIT.createTestProbe();
  final TestProbe<UsageLedger.Command> ledger = KIT.createTestProbe();
  final TestProbe<FairnessCoordinator.Command> coordinator = KIT.createTestProbe();
  final TestProbe<ClusterSharding.ShardCommand> shard = KIT.createTestProbe();
  final TestProbe<SlotOwner> worker = KIT.createTestProbe();
  final TestProbe<Object> gateway = KIT.createTestProbe();
  @Nullable ActorRef<TenantEntity.Command> spawned;

  @AfterEach
  void stop() {
    if (spawned != null) {
      KIT.stop(spawned);
    }
  }

  static LimitsView assertLimits(@Nullable LimitsView limits) {
    assertNotNull(limits);
    return limits;
  }

  Verdict.Go goOf(Request request) {
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

  void spawn() {
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
  Behavior<Census.Command> censusThatIsTold() {
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
  Behavior<TenantRecord.Command> recordThatTells(ActorRef<TenantRecord.Notice> parent) {
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
  Behavior<UsageLedger.Command> ledgerThatTells(ActorRef<LedgerReply.Notice> parent) {
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

  ActorRef<TenantRecord.Notice> open() throws InterruptedException {
    spawn();
    ActorRef<TenantRecord.Notice> ofRecord = take(records);
    ofRecord.tell(new TenantRecord.ProfileChanged(profile.build()));
    take(ledgers).tell(Samples.opened(0, 0, 0, 0));
    return ofRecord;
  }

  ActorRef<TenantEntity.Command> entity() {
    assertNotNull(spawned);
    return spawned;
  }

  void tell(SlotHolder message) {
    entity().<Object>unsafeUpcast().tell(message);
  }

  String admit() {
    Request request = new Request();
    request.receivedAtMillis = Samples.NOW;
    request.deadlineMillis = request.receivedAtMillis + 300_000;
    entity().tell(new TenantEntity.Admit(request.build(), gateway.ref()));
    return request.attempt;
  }

  Verdict.Go running() {
    tell(held(1));
    admit();
    return receive(Verdict.Go.class);
  }

  void administer(String what, ActorRef<TenantReply> replyTo) {
    TenantCommand command =
        what.equals("stop") ? new TenantCommand.Suspend("r1") : new TenantCommand.Resume("r2");
    entity().tell(new TenantEntity.Administer(command, replyTo));
  }

  void settle(RunOrder order) {
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

  static RunOrder orderOf(RunOrder order, String attempt) {
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

  static long inFlight(LimitsView limits) {
    LimitsView.Row row = limits.tenant().concurrentRequests();
    assertNotNull(row);
    return row.used();
  }

  LimitsView limits() {
    TestProbe<TenantEntity.Authorization> answer = KIT.createTestProbe();
    entity().tell(new TenantEntity.Authorize(Samples.KEY, Scope.INFERENCE, answer.ref()));
    return answer.expectMessageClass(TenantEntity.Granted.class, PATIENCE).limits();
  }

  UsageLedger.Append append() {
    return assertInstanceOf(UsageLedger.Append.class, ledger.receiveMessage(PATIENCE));
  }

  FairnessCoordinator.Demand demand() {
    return assertInstanceOf(FairnessCoordinator.Demand.class, coordinator.receiveMessage(PATIENCE));
  }

  /** The next demand of so many; each tick repeats what is still wanted. */
  FairnessCoordinator.Demand demandOf(int pending) {
    FairnessCoordinator.Demand demand = demand();
    while (demand.backlog().pending() != pending) {
      demand = demand();
    }
    return demand;
  }

  <T> T receive(Class<T> type) {
    return assertInstanceOf(type, gateway.receiveMessage(PATIENCE));
  }

  static <T> T take(BlockingQueue<T> from) throws InterruptedException {
    T next = from.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertNotNull(next);
    return next;
  }

  SlotHolder.Held held(long seq) {
    return new SlotHolder.Held(ticket(seq), worker.ref(), false);
  }

  static SlotTicket ticket(long seq) {
    return new SlotTicket("small", "w1", 1, 0, seq);
  }

  static ServingSettings settings(long startedLingerMillis, long passivateAfterMillis) {
    return settings(startedLingerMillis, passivateAfterMillis, 600_000);
  }

  static ServingSettings settings(
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
