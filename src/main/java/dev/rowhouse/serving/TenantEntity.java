package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.DataKey;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayDeque;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tenant's sharded actor: meters, queue, held slots, profile, and records on their way to the
 * journal. Thin: {@link Desk} admits, {@link Placement} gives slots and places in the queue, {@link
 * LedgerLine} brings records to the ledger, {@link RecordLine} changes to the record; here they are
 * wired to messages and to the two event-sourced children.
 *
 * <p>States: LOADING (children read the journal; requests wait, bounded) -> COUNTING ({@link
 * Census}: what runs and waits already?) -> ACTIVE, or ABSENT when there is no such tenant ->
 * RETIRING (no newcomers, the last records are written) -> stopped.
 *
 * <p>The mailbox takes {@link Command}, what workers tell a holder of slots, and the words of its
 * children; the type of the outside is Command alone.
 */
public final class TenantEntity {
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "tenant");

  private static final Logger LOG = LoggerFactory.getLogger(TenantEntity.class);
  private static final Duration TICK = Duration.ofSeconds(1);

  /** A ledger that keeps failing is read again this often at least. */
  private static final Duration LEDGER_BACKOFF_MAX = Duration.ofSeconds(10);

  /** What may be asked of a tenant's actor. */
  public sealed interface Command {}

  /**
   * Asks for a place; answered with {@link Verdict}. Sent again it is answered as before.
   *
   * @param throttle what can repeat a refusal at the gateway; absent: nothing does
   */
  public record Admit(
      Ask ask, ActorRef<Object> gateway, @Nullable ActorRef<Throttle.Notice> throttle)
      implements Command {
    public Admit(Ask ask, ActorRef<Object> gateway) {
      this(ask, gateway, null);
    }
  }

  /** The client left before its request ran. */
  public record Leave(String attempt) implements Command {}

  /** The worker refused the ticket, or was silent: the request waits for another slot. */
  public record Requeue(String attempt) implements Command {}

  /**
   * A run is lost before it gave anything: it is settled by this report, and its request goes on as
   * another attempt, in its old turn. Answered as {@link Admit}; may come many times.
   *
   * @param ticket what the lost run was started with
   * @param next the same request under its new id
   */
  public record Retry(RunReport lost, SlotTicket ticket, Ask next, ActorRef<Object> gateway)
      implements Command {}

  /**
   * What a run spent; may come many times and from both sides.
   *
   * @param worker is told when it is durable
   * @param gateway is told, too
   */
  public record Settle(
      RunReport report,
      @Nullable ActorRef<WorkerCommand.Settled> worker,
      @Nullable ActorRef<Object> gateway)
      implements Command {}

  /** May this key do that? Answered with {@link Authorization}. */
  public record Authorize(Ask.Credential key, Scope scope, ActorRef<Authorization> replyTo)
      implements Command {}

  /** For the tenant's record. */
  public record Administer(TenantCommand command, ActorRef<TenantReply> replyTo)
      implements Command {}

  /** For the tenant's ledger. */
  public record QueryLedger(UsageLedger.Query query) implements Command {}

  /** The stop message: no newcomers, return tickets, write what is left, stop. */
  public enum Retire implements Command {
    RETIRE
  }

  /** The answer to {@link Authorize}. */
  public sealed interface Authorization {}

  public record Granted(TenantProfile profile, LimitsView limits) implements Authorization {}

  public record Denied(Refusal refusal) implements Authorization {}

  private enum Timed {
    TICK,
    /** Whoever has not answered the census by now does not. */
    CENSUS_OVER
  }

  private enum State {
    LOADING,
    COUNTING,
    ACTIVE,
    ABSENT,
    RETIRING
  }

  private final ActorContext<Object> context;
  private final TimerScheduler<Object> timers;
  private final TenantId tenant;
  private final ServingParts parts;
  private final ServingSettings settings;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final Placement placement;
  private final LedgerLine line;
  private final RecordLine record;
  private final Orders orders;
  private final ToldGateways told;
  private final ArrayDeque<Object> stash = new ArrayDeque<>();

  /** Why the last try to read the ledger failed, when it was never read. */
  private @Nullable String unread;

  private @Nullable Desk desk;
  private @Nullable ZoneId ledgerZone;
  private final Recount recount = new Recount();
  private State state = State.LOADING;
  private long lastBusyMillis;

  private TenantEntity(
      ActorContext<Object> context,
      TimerScheduler<Object> timers,
      TenantId tenant,
      ServingParts parts,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    this.context = context;
    this.timers = timers;
    this.tenant = tenant;
    this.parts = parts;
    this.settings = parts.settings();
    this.shard = shard;
    this.lastBusyMillis = now();
    this.record = new RecordLine(context, timers, tenant, parts);
    this.line = new LedgerLine(context, timers, tenant, settings);
    this.orders = new Orders(tenant);
    this.placement =
        new Placement(
            new SlotUser(tenant.value(), now(), context.getSelf().narrow()),
            orders,
            line,
            parts.coordinator());
    this.told = new ToldGateways(tenant);
    LOG.debug("{} is {}", tenant, state);
    record.open();
    timers.startTimerWithFixedDelay(Timed.TICK, TICK);
  }

  /** Registers tenants with sharding; the region's ref is the way to all of them. */
  public static ActorRef<org.apache.pekko.cluster.sharding.typed.ShardingEnvelope<Command>> init(
      ClusterSharding sharding, ServingParts parts) {
    return sharding.init(
        Entity.of(
                KEY, entity -> create(new TenantId(entity.getEntityId()), parts, entity.getShard()))
            .withStopMessage(Retire.RETIRE)
            .withRole("tenant"));
  }

  static Behavior<Command> create(
      TenantId tenant, ServingParts parts, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.<Object>setup(
            context ->
                Behaviors.withTimers(
                    timers -> {
                      TenantEntity entity = new TenantEntity(context, timers, tenant, parts, shard);
                      return Behaviors.receive(
                          (ignored, message) -> entity.onMessage(message),
                          (ignored, signal) -> {
                            if (signal instanceof Terminated) {
                              entity.record.stopped();
                            }
                            return Behaviors.same();
                          });
                    }))
        .narrow();
  }

  private Behavior<Object> onMessage(Object message) {
    return switch (message) {
      case Command command -> onCommand(command);
      case SlotHolder slotWord -> {
        Desk open = state == State.RETIRING ? null : desk;
        placement.onSlot(slotWord, open, now());
        yield Behaviors.same();
      }
      case LedgerReply.Appended appended -> onAppended(appended);
      case LedgerReply.AppendFailed failed -> {
        line.failed(failed);
        yield Behaviors.same();
      }
      case LedgerReply.Opened opened -> onOpened(opened);
      case LedgerReply.Unread failed -> onUnread(failed.reason());
      case TenantRecord.Notice notice -> onNotice(notice);
      case Timed timed ->
          switch (timed) {
            case TICK -> onTick();
            case CENSUS_OVER -> activate();
          };
      case RecordLine.Due _ -> {
        record.open();
        yield Behaviors.same();
      }
      case Census.Answer answer -> onCensus(answer);
      case WorkerCommand.Runs runs -> onRuns(runs);
      case LedgerLine.Due due -> {
        switch (due) {
          case FLUSH -> line.pump(now());
          case SEND_AGAIN -> line.sendAgain();
        }
        yield Behaviors.same();
      }
      default -> Behaviors.unhandled();
    };
  }

  private Behavior<Object> onCommand(Command command) {
    if (!(command instanceof Retire)) {
      lastBusyMillis = now();
    }
    return switch (command) {
      case Administer administer -> {
        record.execute(administer.command(), administer.replyTo());
        yield Behaviors.same();
      }
      case Retire _ -> retire();
      // Before the ledger is read nobody knows whether it has that record already.
      case Settle settle when desk != null && state != State.LOADING -> onSettle(settle, desk);
      case Command _ when unread != null -> refuseUnread(command, unread);
      case Command _ when isStarting() -> stash(command);
      case Command _ when desk == null -> refuseForAbsent(command);
      case Admit admit -> onAdmit(admit, desk);
      case Leave leave -> {
        line.withdrawn(leave.attempt());
        placement.leave(leave.attempt(), desk, now());
        yield Behaviors.same();
      }
      case Requeue requeue -> {
        placement.requeue(requeue.attempt(), desk, now());
        yield Behaviors.same();
      }
      case Retry retry -> onRetry(retry, desk);
      case Settle settle -> stash(settle);
      case Authorize authorize -> {
        authorize.replyTo().tell(authorize(authorize, desk));
        yield Behaviors.same();
      }
      case QueryLedger query -> {
        ActorRef<UsageLedger.Command> ledger = line.ledger();
        if (ledger != null) {
          ledger.tell(query.query());
        }
        yield Behaviors.same();
      }
    };
  }

  private Behavior<Object> stash(Command command) {
    if (stash.size() < settings.startStashMax() && parts.journal().getAsBoolean()) {
      stash.add(command);
    } else {
      refuseUnread(command, "the journal is away");
    }
    return Behaviors.same();
  }

  private Behavior<Object> refuseForAbsent(Command command) {
    switch (command) {
      case Admit admit -> admit.gateway().tell(new Verdict.No(Refusals.invalidKey(), null));
      case Retry retry -> retry.gateway().tell(new Verdict.No(Refusals.invalidKey(), null));
      case Authorize authorize -> authorize.replyTo().tell(new Denied(Refusals.invalidKey()));
      case QueryLedger query ->
          query.query().replyTo().tell(new LedgerReply.Away("there is no such tenant"));
      case Leave _, Requeue _, Settle _, Administer _, Retire _ -> {}
    }
    return Behaviors.same();
  }

  private Authorization authorize(Authorize authorize, Desk desk) {
    Refusal refusal = desk.authorize(authorize.key(), authorize.scope(), now());
    return refusal == null
        ? new Granted(desk.profile(), desk.view(authorize.key().keyId(), now()))
        : new Denied(refusal);
  }

  private Behavior<Object> onAdmit(Admit admit, Desk desk) {
    if (state == State.RETIRING) {
      admit.gateway().tell(new Verdict.Moved());
      return Behaviors.same();
    }
    long now = now();
    String keyId = admit.ask().key().keyId();
    if (!line.takesMore(now) || !parts.journal().getAsBoolean()) {
      admit
          .gateway()
          .tell(
              new Verdict.No(
                  Refusals.journalUnavailable(settings.retryMillis()), desk.view(keyId, now)));
      return Behaviors.same();
    }
    switch (desk.admit(admit.ask(), admit.gateway(), now)) {
      case Desk.Decision.Refused refused -> {
        LimitsView limits = desk.view(keyId, now);
        told.refused(admit, refused.refusal(), limits);
        admit.gateway().tell(new Verdict.No(refused.refusal(), limits));
      }
      case Desk.Decision.Accepted accepted -> placement.place(accepted.request(), desk, now);
      case Desk.Decision.Known known ->
          admit.gateway().tell(placement.verdict(known.request(), desk, now));
    }
    return Behaviors.same();
  }

  private Behavior<Object> onRetry(Retry retry, Desk desk) {
    if (state == State.RETIRING) {
      retry.gateway().tell(new Verdict.Moved());
      return Behaviors.same();
    }
    Admit admit = new Admit(retry.next(), retry.gateway());
    boolean known = desk.find(retry.next().attempt()) != null;
    InFlight again =
        known ? null : desk.retry(retry.lost().order().attempt(), retry.next(), retry.gateway());
    placement.lost(retry.ticket());
    onSettle(new Settle(retry.lost(), null, null), desk);
    if (again == null) {
      return onAdmit(admit, desk);
    }
    placement.placeAgain(again, desk, now());
    return Behaviors.same();
  }

  private Behavior<Object> onSettle(Settle settle, Desk desk) {
    RunReport report = settle.report();
    String attempt = report.order().attempt();
    if (line.isKnown(attempt, settle.worker(), settle.gateway())) {
      return Behaviors.same();
    }
    var settled = orders.record(report, desk.catalog());
    SettledCounts.add(settled);
    InFlight request = desk.settle(settled, now());
    desk.marks(settled.keyId(), now()).forEach(record::mark);
    ActorRef<Object> gateway = settle.gateway();
    if (request != null) {
      gateway = request.gateway;
      placement.finished(request);
    }
    line.ended(settled, settle.worker(), gateway, now());
    return Behaviors.same();
  }

  private Behavior<Object> onAppended(LedgerReply.Appended appended) {
    line.appended(appended, now());
    return state == State.RETIRING && line.isEmpty() ? Behaviors.stopped() : Behaviors.same();
  }

  private Behavior<Object> onNotice(TenantRecord.Notice notice) {
    switch (notice) {
      case TenantRecord.Unknown _ -> {
        enter(State.ABSENT);
        unstash();
      }
      case TenantRecord.Keyed(DataKey key) -> orders.sealWith(key);
      case TenantRecord.ProfileChanged changed -> {
        if (changed.profile().status() == TenantProfile.Status.OFFBOARDED) {
          orders.sealWith(null);
        }
        ZoneId zone = parts.zone(changed.profile());
        if (desk != null) {
          desk.profile(changed.profile());
          told.forget();
          if (!zone.equals(ledgerZone)) {
            openLedger(zone);
          }
        } else if (line.ledger() == null) {
          desk =
              new Desk(
                  changed.profile(), zone, parts.catalog(), parts.house(), settings.smallCostMax());
          enter(State.LOADING);
          openLedger(zone);
        }
      }
    }
    return Behaviors.same();
  }

  /**
   * Starts the ledger, in place of one whose months were of another time zone. It comes back from a
   * failing journal by itself; a bug in it restarts it from the journal.
   */
  private void openLedger(ZoneId zone) {
    ActorRef<UsageLedger.Command> before = line.ledger();
    if (before != null) {
      context.stop(before);
    }
    ledgerZone = zone;
    line.open(
        context.spawnAnonymous(
            Behaviors.supervise(parts.ledger(tenant, zone, context.getSelf().narrow()))
                .onFailure(
                    SupervisorStrategy.restartWithBackoff(
                        Duration.ofMillis(settings.retryMillis()), LEDGER_BACKOFF_MAX, 0.2))));
  }

  /** Who waits for the ledger is answered now: nobody knows when it will be there. */
  private Behavior<Object> onUnread(String reason) {
    if (state == State.LOADING) {
      unread = reason;
      while (stash.poll() instanceof Command waiting) {
        refuseUnread(waiting, reason);
      }
    }
    return Behaviors.same();
  }

  private Behavior<Object> refuseUnread(Command command, String reason) {
    Refusal refusal = Refusals.journalUnreadable(settings.retryMillis());
    switch (command) {
      case Admit admit -> admit.gateway().tell(new Verdict.No(refusal, null));
      case Retry retry -> retry.gateway().tell(new Verdict.No(refusal, null));
      case Authorize authorize -> authorize.replyTo().tell(new Denied(refusal));
      case QueryLedger query -> query.query().replyTo().tell(new LedgerReply.Away(reason));
      // Who tells of an end repeats it until it is written.
      case Leave _, Requeue _, Settle _, Administer _, Retire _ -> {}
    }
    return Behaviors.same();
  }

  private Behavior<Object> onOpened(LedgerReply.Opened opened) {
    Desk open = desk;
    ZoneId zone = ledgerZone;
    if (open == null || zone == null || !zone.getId().equals(opened.zone())) {
      // The last word of a ledger that another one has taken the place of.
      return Behaviors.same();
    }
    if (state == State.LOADING) {
      unread = null;
      open.resume(opened, now());
      line.resume(opened.settled());
      enter(State.COUNTING);
      parts.census().tell(new Census.Take(tenant, context.getSelf()));
      timers.startSingleTimer(Timed.CENSUS_OVER, Duration.ofMillis(settings.censusMaxMillis()));
    } else if (!zone.equals(open.zone())) {
      open.resumeIn(zone, opened, line.unwritten(), now());
    }
    // A ledger that was read again knows nothing of a batch on its way.
    line.sendAgain();
    return Behaviors.same();
  }

  private boolean isStarting() {
    return state == State.LOADING || state == State.COUNTING;
  }

  private Behavior<Object> onCensus(Census.Answer answer) {
    if (state != State.COUNTING) {
      return Behaviors.same();
    }
    switch (answer) {
      case Census.Asked asked -> recount.asked(asked);
      case Census.Told told -> recount.told(told);
      case Census.Present present -> recount.present(present);
      case Census.Absent absent -> recount.absent(absent);
    }
    return recount.isComplete() ? activate() : Behaviors.same();
  }

  private Behavior<Object> onRuns(WorkerCommand.Runs runs) {
    recount.runs(runs);
    return state == State.COUNTING && recount.isComplete() ? activate() : Behaviors.same();
  }

  /** Takes on what was admitted before, then lets newcomers in. */
  private Behavior<Object> activate() {
    Desk open = desk;
    if (state != State.COUNTING || open == null) {
      return Behaviors.same();
    }
    timers.cancel(Timed.CENSUS_OVER);
    enter(State.ACTIVE);
    long now = now();
    for (Census.Present present : recount.requests()) {
      if (!line.hasEnded(present.ask().attempt())) {
        InFlight request = open.adopt(present.ask(), present.gateway(), now);
        if (request != null) {
          placement.adopt(request, present.go(), open, now);
        }
      }
    }
    for (RunOrder orphan : recount.orphans()) {
      if (!line.hasEnded(orphan.attempt())) {
        ActorRef<Object> nobody = context.getSystem().ignoreRef();
        InFlight request = open.adopt(Census.askOf(orphan), nobody, now);
        if (request != null) {
          request.running = true;
        }
      }
    }
    unstash();
    return Behaviors.same();
  }

  private void unstash() {
    while (!stash.isEmpty() && !isStarting()) {
      Object next = stash.poll();
      if (next instanceof Command command) {
        onCommand(command);
      }
    }
  }

  private Behavior<Object> onTick() {
    Desk open = desk;
    long now = now();
    if (open == null || state != State.ACTIVE) {
      return (open == null || unread != null) && isLongIdle(now) ? passivate() : Behaviors.same();
    }
    for (InFlight late : open.waiting().waitedOver(open.queueTimeoutMillis(), now)) {
      Refusal refusal = open.waitedInVain(late, now);
      placement.leave(late.attempt(), open, now);
      late.gateway.tell(new Verdict.No(refusal, open.view(late, now)));
    }
    for (InFlight lost : open.overdue(now - settings.overdueGraceMillis())) {
      // Its start is in the ledger, which makes an unknown of it when nobody settles.
      placement.leave(lost.attempt(), open, now);
    }
    placement.demandAll(open, now);
    line.pump(now);
    return open.isIdle() && line.isEmpty() && isLongIdle(now) ? passivate() : Behaviors.same();
  }

  private void enter(State next) {
    LOG.debug("{} is {} after {}", tenant, next, state);
    state = next;
  }

  private boolean isLongIdle(long now) {
    return now - lastBusyMillis > settings.passivateAfterMillis();
  }

  private Behavior<Object> passivate() {
    placement.returnTickets();
    shard.tell(new ClusterSharding.Passivate<>(context.getSelf().narrow()));
    return Behaviors.same();
  }

  private Behavior<Object> retire() {
    enter(State.RETIRING);
    told.forget();
    if (desk != null) {
      for (String pool : desk.waiting().pools()) {
        desk.waiting().requests(pool).forEach(request -> request.gateway.tell(new Verdict.Moved()));
      }
    }
    stash.forEach(
        command -> {
          if (command instanceof Admit admit) {
            admit.gateway().tell(new Verdict.Moved());
          }
        });
    placement.returnTickets();
    if (line.isDone()) {
      return Behaviors.stopped();
    }
    line.pump(now());
    return Behaviors.same();
  }

  private long now() {
    return parts.clock().millis();
  }
}
