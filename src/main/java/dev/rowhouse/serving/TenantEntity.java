package dev.rowhouse.serving;

import dev.rowhouse.fairness.Backlog;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.fairness.SlotUser;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.BudgetMark;
import dev.rowhouse.tenant.DataKey;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantRecord;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import dev.rowhouse.usage.StartedEntry;
import dev.rowhouse.usage.UsageLedger;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

/**
 * The tenant's sharded actor: meters, queue, held slots, profile, and records on their way to the
 * journal. Thin: {@link Desk} admits, {@link SlotUser} keeps tickets, {@link LedgerLine} brings
 * records to the ledger; here they are wired to messages and to the two event-sourced children.
 *
 * <p>States: LOADING (children read the journal; requests wait, bounded) -> ACTIVE, or ABSENT when
 * there is no such tenant -> RETIRING (no newcomers, the last records are written) -> stopped.
 *
 * <p>The mailbox takes {@link Command}, what workers tell a holder of slots, and the words of its
 * children; the type of the outside is Command alone.
 */
public final class TenantEntity {
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "tenant");

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
    OPEN_RECORD
  }

  private enum State {
    LOADING,
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
  private final SlotUser slots;
  private final LedgerLine line;
  private final Orders orders;
  private final ToldGateways told;
  private final Map<String, Integer> demanded = new HashMap<>();
  private final ArrayDeque<Object> stash = new ArrayDeque<>();
  private @Nullable ActorRef<TenantRecord.Command> record;
  private @Nullable Desk desk;
  private @Nullable ZoneId ledgerZone;
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
    this.slots = new SlotUser(tenant.value(), now(), context.getSelf().narrow());
    this.line = new LedgerLine(context, timers, tenant, settings);
    this.orders = new Orders(tenant);
    this.told = new ToldGateways(tenant);
    openRecord();
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
                          (ignored, signal) ->
                              signal instanceof Terminated
                                  ? entity.onRecordStopped()
                                  : Behaviors.same());
                    }))
        .narrow();
  }

  private Behavior<Object> onMessage(Object message) {
    return switch (message) {
      case Command command -> onCommand(command);
      case SlotHolder.Held held -> onHeld(held);
      case SlotHolder.Withdrawn withdrawn -> {
        slots.withdrawn(withdrawn.ticket());
        yield Behaviors.same();
      }
      case SlotHolder.Outlook outlook -> onOutlook(outlook);
      case LedgerReply.Appended appended -> onAppended(appended);
      case LedgerReply.AppendFailed failed -> {
        line.failed(failed);
        yield Behaviors.same();
      }
      case LedgerReply.Opened opened -> onOpened(opened);
      case TenantRecord.Notice notice -> onNotice(notice);
      case Timed timed ->
          switch (timed) {
            case TICK -> onTick();
            case OPEN_RECORD -> openRecord();
          };
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
      case Administer administer -> administer(administer);
      case Retire _ -> retire();
      case Settle settle when desk != null -> onSettle(settle, desk);
      case Command _ when state == State.LOADING -> stash(command);
      case Command _ when desk == null -> refuseForAbsent(command);
      case Admit admit -> onAdmit(admit, desk);
      case Leave leave -> {
        line.withdrawn(leave.attempt());
        yield onLeave(leave.attempt(), desk);
      }
      case Requeue requeue -> onRequeue(requeue.attempt(), desk);
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

  private Behavior<Object> administer(Administer administer) {
    if (record != null) {
      record.tell(new TenantRecord.Execute(administer.command(), administer.replyTo()));
    } else {
      administer
          .replyTo()
          .tell(
              new TenantReply.Refused(
                  TenantReply.Reason.JOURNAL_UNAVAILABLE,
                  null,
                  "The journal does not answer. Try again shortly."));
    }
    return Behaviors.same();
  }

  /** Starts the record; a record whose journal fails stops, and is started again after a pause. */
  private Behavior<Object> openRecord() {
    ActorRef<TenantRecord.Command> opened =
        context.spawnAnonymous(parts.record(tenant, context.getSelf().narrow()));
    context.watch(opened);
    record = opened;
    return Behaviors.same();
  }

  private Behavior<Object> onRecordStopped() {
    record = null;
    timers.startSingleTimer(Timed.OPEN_RECORD, Duration.ofMillis(settings.retryMillis()));
    return Behaviors.same();
  }

  private Behavior<Object> stash(Command command) {
    if (stash.size() < settings.startStashMax()) {
      stash.add(command);
    } else if (command instanceof Admit admit) {
      admit
          .gateway()
          .tell(new Verdict.No(Refusals.journalUnavailable(settings.retryMillis()), null));
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
      // The gateway hears nothing, asks again, and finds the next incarnation.
      return Behaviors.same();
    }
    long now = now();
    String keyId = admit.ask().key().keyId();
    if (!line.takesMore()) {
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
      case Desk.Decision.Accepted accepted -> place(accepted.request(), desk);
      case Desk.Decision.Known known -> {
        Verdict.Go go = known.request().go;
        admit.gateway().tell(go != null ? go : waiting(known.request(), desk));
      }
    }
    return Behaviors.same();
  }

  /** Gives a new request a slot that is at hand, or a place in the queue. */
  private void place(InFlight request, Desk desk) {
    long now = now();
    if (startAtOnce(request, desk)) {
      return;
    }
    InFlight elsewhere = desk.elsewhere(request, now);
    if (elsewhere != null) {
      place(elsewhere, desk);
      return;
    }
    Refusal no = desk.noPlace(request, now);
    if (no != null) {
      desk.withdraw(request, now);
      request.gateway.tell(new Verdict.No(no, view(request, desk)));
      return;
    }
    enqueue(request, desk);
  }

  /** The same for one that had a place before: no full queue refuses it. */
  private void placeAgain(InFlight request, Desk desk) {
    if (!startAtOnce(request, desk)) {
      enqueue(request, desk);
    }
  }

  private boolean startAtOnce(InFlight request, Desk desk) {
    SlotUser.HeldTicket held = slots.take(request.pool(), request.isSmall);
    if (held != null) {
      go(request, held, desk);
    }
    return held != null;
  }

  private void enqueue(InFlight request, Desk desk) {
    desk.waiting().enter(request);
    request.gateway.tell(waiting(request, desk));
    demand(request.pool(), desk);
  }

  private Verdict waiting(InFlight request, Desk desk) {
    return new Verdict.Waiting(desk.waiting().size(request.pool()) - 1, view(request, desk));
  }

  private LimitsView view(InFlight request, Desk desk) {
    return desk.view(request.ask.key().keyId(), now());
  }

  private void go(InFlight request, SlotUser.HeldTicket held, Desk desk) {
    long now = now();
    request.running = true;
    Verdict.Go go =
        new Verdict.Go(
            orders.order(request, desk.profile(), now),
            held.ticket(),
            held.worker(),
            view(request, desk));
    request.go = go;
    line.started(
        new StartedEntry(
            request.attempt(),
            request.ask.receivedAtMillis(),
            request.ask.key().keyId(),
            go.order().modelAsked(),
            request.reservedTokens),
        now);
    request.gateway.tell(go);
  }

  private Behavior<Object> onHeld(SlotHolder.Held held) {
    Desk open = desk;
    String pool = held.ticket().pool();
    if (!slots.offer(held)) {
      return Behaviors.same();
    }
    if (open == null || state == State.RETIRING) {
      returnTickets();
      return Behaviors.same();
    }
    WaitingRoom waiting = open.waiting();
    if (waiting.size(pool) > 0) {
      InFlight next = waiting.next(pool, held.small(), now());
      SlotUser.HeldTicket ticket = next == null ? null : slots.take(pool, next.isSmall);
      if (next != null && ticket != null) {
        go(next, ticket, open);
      }
      if (waiting.size(pool) == 0) {
        demand(pool, open);
      }
    }
    if (held.small()) {
      // Nothing small waits any more, and a large request may not have it.
      returnTicket(new SlotUser.HeldTicket(held.ticket(), held.worker(), true));
    }
    return Behaviors.same();
  }

  private Behavior<Object> onOutlook(SlotHolder.Outlook outlook) {
    Desk open = desk;
    if (open != null) {
      open.waiting().outlook(outlook, now());
      if (outlook.slots() == 0) {
        moveOn(outlook.pool(), open);
      }
    }
    return Behaviors.same();
  }

  /** Nobody serves that pool: whoever has a model to fall back to does not wait for it. */
  private void moveOn(String pool, Desk open) {
    boolean moved = false;
    for (InFlight request : open.waiting().requests(pool)) {
      InFlight elsewhere = open.elsewhere(request, now());
      if (elsewhere != null) {
        placeAgain(elsewhere, open);
        moved = true;
      }
    }
    if (moved) {
      demand(pool, open);
    }
  }

  private Behavior<Object> onLeave(String attempt, Desk desk) {
    InFlight request = desk.leave(attempt, now());
    if (request != null) {
      Verdict.Go go = request.go;
      if (go != null) {
        go.worker().tell(new SlotOwner.Return(go.ticket()));
        slots.finished(go.ticket());
      }
      demand(request.pool(), desk);
    }
    return Behaviors.same();
  }

  private Behavior<Object> onRequeue(String attempt, Desk desk) {
    InFlight request = desk.find(attempt);
    if (request != null && request.running) {
      if (request.go != null) {
        slots.finished(request.go.ticket());
        request.go = null;
      }
      request.running = false;
      placeAgain(request, desk);
    }
    return Behaviors.same();
  }

  private Behavior<Object> onRetry(Retry retry, Desk desk) {
    if (state == State.RETIRING) {
      return Behaviors.same();
    }
    Admit admit = new Admit(retry.next(), retry.gateway());
    boolean known = desk.find(retry.next().attempt()) != null;
    InFlight again =
        known ? null : desk.retry(retry.lost().order().attempt(), retry.next(), retry.gateway());
    slots.finished(retry.ticket());
    giveBack(slots.returnOf(retry.ticket()));
    onSettle(new Settle(retry.lost(), null, null), desk);
    if (again == null) {
      return onAdmit(admit, desk);
    }
    placeAgain(again, desk);
    return Behaviors.same();
  }

  private Behavior<Object> onSettle(Settle settle, Desk desk) {
    RunReport report = settle.report();
    String attempt = report.order().attempt();
    if (line.isKnown(attempt, settle.worker(), settle.gateway())) {
      return Behaviors.same();
    }
    var settled = orders.record(report, desk.catalog());
    InFlight request = desk.settle(settled, now());
    desk.marks(settled.keyId(), now()).forEach(this::mark);
    ActorRef<Object> gateway = settle.gateway();
    if (request != null) {
      gateway = request.gateway;
      if (request.go != null) {
        slots.finished(request.go.ticket());
      }
    }
    line.ended(settled, settle.worker(), gateway, now());
    return Behaviors.same();
  }

  /** A budget is nearly used up: the record keeps it, and whoever looks hears of it. */
  private void mark(BudgetMark mark) {
    context
        .getLog()
        .warn(
            "tenant {} has used {} % of {} of {}",
            tenant, mark.percent(), mark.limit(), mark.month());
    parts.marked().accept(mark);
    if (record != null) {
      record.tell(
          new TenantRecord.Execute(
              new TenantCommand.MarkBudget(mark), context.getSystem().ignoreRef()));
    }
  }

  private Behavior<Object> onAppended(LedgerReply.Appended appended) {
    line.appended(appended, now());
    return state == State.RETIRING && line.isEmpty() ? Behaviors.stopped() : Behaviors.same();
  }

  private Behavior<Object> onNotice(TenantRecord.Notice notice) {
    switch (notice) {
      case TenantRecord.Unknown _ -> {
        state = State.ABSENT;
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
          state = State.LOADING;
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

  private Behavior<Object> onOpened(LedgerReply.Opened opened) {
    Desk open = desk;
    ZoneId zone = ledgerZone;
    if (open == null || zone == null || !zone.getId().equals(opened.zone())) {
      // The last word of a ledger that another one has taken the place of.
      return Behaviors.same();
    }
    if (state == State.LOADING) {
      open.resume(opened, now());
      state = State.ACTIVE;
      unstash();
    } else if (!zone.equals(open.zone())) {
      open.resumeIn(zone, opened, line.unwritten(), now());
    }
    // A ledger that was read again knows nothing of a batch on its way.
    line.sendAgain();
    return Behaviors.same();
  }

  private void unstash() {
    while (!stash.isEmpty() && state != State.LOADING) {
      Object next = stash.poll();
      if (next instanceof Command command) {
        onCommand(command);
      }
    }
  }

  private void demand(String pool, Desk desk) {
    Backlog backlog = desk.waiting().backlog(pool, now());
    Integer last =
        backlog.pending() == 0 ? demanded.remove(pool) : demanded.put(pool, backlog.pending());
    if (backlog.pending() > 0 || last != null) {
      parts.coordinator().tell(slots.demand(pool, desk.terms(pool), backlog));
    }
  }

  private Behavior<Object> onTick() {
    Desk open = desk;
    long now = now();
    if (open == null || state != State.ACTIVE) {
      return open == null && isLongIdle(now) ? passivate() : Behaviors.same();
    }
    for (InFlight late : open.waiting().waitedOver(open.queueTimeoutMillis(), now)) {
      Refusal refusal = open.waitedInVain(late, now);
      onLeave(late.attempt(), open);
      late.gateway.tell(new Verdict.No(refusal, view(late, open)));
    }
    for (InFlight lost : open.overdue(now - settings.overdueGraceMillis())) {
      // Its start is in the ledger, which makes an unknown of it when nobody settles.
      onLeave(lost.attempt(), open);
    }
    for (String pool : open.waiting().pools()) {
      demand(pool, open);
    }
    line.pump(now);
    return open.isIdle() && line.isEmpty() && isLongIdle(now) ? passivate() : Behaviors.same();
  }

  private boolean isLongIdle(long now) {
    return now - lastBusyMillis > settings.passivateAfterMillis();
  }

  private Behavior<Object> passivate() {
    returnTickets();
    shard.tell(new ClusterSharding.Passivate<>(context.getSelf().narrow()));
    return Behaviors.same();
  }

  private Behavior<Object> retire() {
    state = State.RETIRING;
    told.forget();
    returnTickets();
    if (line.isDone()) {
      return Behaviors.stopped();
    }
    line.pump(now());
    return Behaviors.same();
  }

  private void returnTickets() {
    giveBack(slots.returnAll());
  }

  private static void giveBack(List<SlotUser.HeldTicket> tickets) {
    tickets.forEach(held -> held.worker().tell(new SlotOwner.Return(held.ticket())));
  }

  /** Gives an unused ticket back; nothing happens when it is in use. */
  private void returnTicket(SlotUser.HeldTicket held) {
    if (slots.giveUp(held)) {
      held.worker().tell(new SlotOwner.Return(held.ticket()));
    }
  }

  private long now() {
    return parts.clock().millis();
  }
}
