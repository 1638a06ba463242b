package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.fairness.SlotTicket;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.AttemptId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's side of one request: from admission to the one final answer.
 *
 * <p>Phases: ADMITTING -> WAITING (for a slot) -> STARTING (ticket in hand) -> RUNNING -> ENDING
 * (the run is over, its record not yet durable) -> stopped. A refused ticket leads back to WAITING.
 * A client that leaves gives back its place at once, or cancels the run, whose worker settles what
 * was spent.
 *
 * <p>A run whose worker is gone is settled from here, and when it has given nothing yet, the
 * request goes on as another attempt with an id of its own, back in WAITING in its old turn: once
 * after a run that had begun, and as often as it takes when none had. An attempt is run once, so
 * what a run says that bears an older attempt's id comes too late, and is not listened to.
 *
 * <p>The end of an answer is held back until the tenant's actor says that its record is durable.
 * The run sends no faster than the client reads: it has credit for a window of messages beyond
 * those that the client's connection has taken.
 *
 * <p>The mailbox takes {@link Verdict}, {@link RunEvent} and this class's own messages: the sealed
 * protocols of three rooms, therefore typed as Object.
 */
public final class Answering {
  /** Messages that a run may be ahead of the client; each carries at least one chunk. */
  public static final int WINDOW_MESSAGES = 16;

  /** A body travels in pieces that fit an Artery frame of 256 KiB. */
  private static final int BODY_PIECE_BYTES = 128 * 1024;

  private static final Duration TICK = Duration.ofMillis(500);

  /** A tenant's actor that says that it ends is gone after this, mostly. */
  private static final Duration MOVING = Duration.ofMillis(100);

  /** How long a stream's headers wait for a slot before 200 goes out with comments. */
  private static final long HEADERS_HELD_MAX_MILLIS = 2_000;

  private static final long QUEUED_COMMENT_MILLIS = 5_000;

  /** After this silence the tenant's actor is asked again; it knows the attempt. */
  private static final long SILENCE_MILLIS = 2_000;

  /**
   * A live worker starts a run or refuses the ticket; one that does neither for so long is gone.
   */
  private static final long WORKER_SILENCE_MILLIS = 10_000;

  /** A worker that died says nothing; one whose run died says so within this time. */
  private static final long WORKER_WORD_MILLIS = 2_000;

  /** The last word for a client that left: its run is settled by then, or by the worker alone. */
  private static final long FAREWELL_MILLIS = 10_000;

  /** A second run that is lost as well would be lost for a reason. */
  private static final int RETRIES_MAX = 1;

  private static final String LOST = "The worker of this request was lost.";

  private enum Phase {
    ADMITTING,
    WAITING,
    STARTING,
    RUNNING,
    ENDING
  }

  private enum Tick {
    TICK
  }

  /** The client's connection is gone. */
  public enum ClientGone {
    CLIENT_GONE
  }

  enum Consumed {
    CONSUMED
  }

  private enum AskAgain {
    ASK_AGAIN
  }

  /** How does it stand with this request? The asker gets a {@link Census.Answer}. */
  record Count(ActorRef<Object> asker) {}

  /**
   * What stays the same for every request of a gateway.
   *
   * @param durableWaitMillis how long an end waits for the journal
   * @param answerBytesMax the largest answer that is collected for a client that does not stream
   * @param throttle the way to what this gateway refuses by itself
   * @param inHand knows the requests of this gateway
   * @param majority whether this gateway reaches the majority of its cluster
   * @param random for the ids of second attempts; several threads use it
   */
  public record Settings(
      TenantPort tenants,
      InstantSource clock,
      long durableWaitMillis,
      int answerBytesMax,
      ActorRef<Throttle.Notice> throttle,
      InHand inHand,
      BooleanSupplier majority,
      RandomGenerator random) {}

  private final ActorContext<Object> context;
  private final Settings settings;
  private final TenantId tenant;
  private final ByteString body;
  private final Delivery delivery;
  private Ask ask;
  private Cancellable tick;
  private Phase phase = Phase.ADMITTING;
  private long phaseSinceMillis;
  private long lastAskedMillis;
  private long lastCommentMillis;
  private @Nullable LimitsView limits;
  private Verdict.@Nullable Go given;
  private int startsSent;
  private @Nullable ActorRef<RunControl> run;
  private int retries;

  /** Said until the tenant's actor answers it. */
  private TenantEntity.@Nullable Retry retry;

  private long consumed;
  private long creditGiven = WINDOW_MESSAGES;
  private boolean clientGone;
  private boolean durable;
  private long runLostMillis;
  private RunEvent.@Nullable Ended ended;

  private Answering(
      ActorContext<Object> context,
      Settings settings,
      TenantId tenant,
      Ask ask,
      ByteString body,
      CompletableFuture<Answer> answer) {
    this.context = context;
    this.settings = settings;
    this.tenant = tenant;
    this.ask = ask;
    this.body = body;
    this.delivery = new Delivery(context, ask.stream(), answer);
    this.phaseSinceMillis = now();
    this.tick = scheduleTick();
    settings.inHand().add(tenant, context.getSelf());
    askTenant();
  }

  /** An actor for one request; {@code answer} is completed exactly once. */
  public static Behavior<Object> create(
      Settings settings,
      TenantId tenant,
      Ask ask,
      ByteString body,
      CompletableFuture<Answer> answer) {
    return Behaviors.setup(
        context -> {
          Answering answering = new Answering(context, settings, tenant, ask, body, answer);
          return Behaviors.receive(
              (ignored, message) -> answering.onMessage(message),
              (ignored, signal) ->
                  switch (signal) {
                    case Terminated gone -> answering.onTerminated(gone.getRef());
                    case PostStop _ -> answering.onStop();
                    default -> Behaviors.same();
                  });
        });
  }

  private Behavior<Object> onMessage(Object message) {
    return switch (message) {
      case Verdict verdict -> onVerdict(verdict);
      case RunEvent event -> onRunEvent(event);
      case Consumed _ -> onConsumed();
      case ClientGone _ -> onClientGone();
      case Tick _ -> onTick();
      case AskAgain _ -> {
        if (phase == Phase.ADMITTING || phase == Phase.WAITING) {
          askTenant();
        }
        yield Behaviors.same();
      }
      case Count count -> onCount(count.asker());
      default -> Behaviors.unhandled();
    };
  }

  private Behavior<Object> onVerdict(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Go go -> start(go);
      case Verdict.Waiting waiting -> {
        if (phase == Phase.ADMITTING || phase == Phase.WAITING) {
          limits = waiting.limits();
        }
        if (phase == Phase.ADMITTING) {
          enter(Phase.WAITING);
        }
        yield Behaviors.same();
      }
      case Verdict.No no -> {
        if (phase == Phase.ADMITTING || phase == Phase.WAITING) {
          limits = no.limits() != null ? no.limits() : limits;
          yield fail(no.refusal());
        }
        yield Behaviors.same();
      }
      case Verdict.Moved _ -> {
        context.scheduleOnce(MOVING, context.getSelf(), AskAgain.ASK_AGAIN);
        yield Behaviors.same();
      }
      case Verdict.Durable(String attempt) -> {
        durable |= attempt.equals(ask.attempt());
        yield ended != null && durable ? release(ended) : Behaviors.same();
      }
    };
  }

  /** A new incarnation of the tenant's actor wants to know what there is. */
  private Behavior<Object> onCount(ActorRef<Object> asker) {
    boolean admitted =
        retry == null
            && (phase == Phase.WAITING || phase == Phase.STARTING || phase == Phase.RUNNING);
    if (admitted) {
      asker.tell(new Census.Present(ask, context.getSelf(), phase == Phase.WAITING ? null : given));
      return Behaviors.same();
    }
    asker.tell(new Census.Absent(ask.attempt()));
    if (phase == Phase.ADMITTING || phase == Phase.WAITING) {
      askTenant();
    } else if (ended != null) {
      settle(ended);
    }
    return Behaviors.same();
  }

  private Behavior<Object> start(Verdict.Go go) {
    boolean same = given != null && given.ticket().equals(go.ticket());
    boolean waits = phase == Phase.ADMITTING || phase == Phase.WAITING;
    if (!waits || !go.order().attempt().equals(ask.attempt())) {
      if (!same) {
        giveBack(go);
      }
      return Behaviors.same();
    }
    if (clientGone) {
      giveBack(go);
      return leave();
    }
    if (same) {
      // It was refused, and the tenant's actor has not heard of it.
      return requeue();
    }
    limits = go.limits();
    retry = null;
    startsSent = 0;
    given = go;
    enter(Phase.STARTING);
    sendStart(go);
    return Behaviors.same();
  }

  private static void giveBack(Verdict.Go go) {
    go.worker().tell(new SlotOwner.Return(go.ticket()));
  }

  private void sendStart(Verdict.Go go) {
    startsSent++;
    go.worker().tell(new WorkerCommand.Start(go.ticket(), go.order(), context.getSelf().narrow()));
  }

  private Behavior<Object> onRunEvent(RunEvent event) {
    if (!event.attempt().equals(ask.attempt())) {
      return onLate(event);
    }
    return switch (event) {
      case RunEvent.PullBody pull -> onPullBody(pull);
      case RunEvent.Pieces pieces -> onPieces(pieces);
      case RunEvent.Ended end -> {
        if (ended == null) {
          ended = end;
          enter(Phase.ENDING);
        }
        yield durable ? release(ended) : Behaviors.same();
      }
      case RunEvent.TicketRefused(String _, SlotTicket ticket) -> onRefused(ticket);
      case RunEvent.WorkerFailed _ -> onLost();
    };
  }

  /** A run that was given up has come alive after all. It may stop; its worker settles it. */
  private static Behavior<Object> onLate(RunEvent event) {
    if (event instanceof RunEvent.PullBody pull) {
      pull.run().tell(new RunControl.Cancel());
    }
    return Behaviors.same();
  }

  private Behavior<Object> onPullBody(RunEvent.PullBody pull) {
    if (run == null && phase == Phase.STARTING) {
      run = pull.run();
      context.watch(pull.run());
      enter(Phase.RUNNING);
    }
    if (clientGone || !pull.run().equals(run)) {
      pull.run().tell(new RunControl.Cancel());
    } else {
      int end = Math.min(body.size(), pull.offset() + BODY_PIECE_BYTES);
      pull.run()
          .tell(
              new RunControl.Body(
                  pull.offset(), body.slice(pull.offset(), end), end == body.size()));
    }
    return Behaviors.same();
  }

  private Behavior<Object> onRefused(SlotTicket ticket) {
    Verdict.Go go = given;
    if (phase != Phase.STARTING || go == null || !go.ticket().equals(ticket)) {
      return Behaviors.same();
    }
    if (startsSent > 1) {
      // An earlier incarnation of the worker may have taken it when it was sent first.
      return onLost();
    }
    if (clientGone) {
      return leave();
    }
    return requeue();
  }

  private Behavior<Object> requeue() {
    enter(Phase.WAITING);
    settings.tenants().tell(tenant, new TenantEntity.Requeue(ask.attempt()));
    return Behaviors.same();
  }

  private Behavior<Object> onPieces(RunEvent.Pieces pieces) {
    if (clientGone) {
      return Behaviors.same();
    }
    if (ask.stream()) {
      delivery.forward(pieces.pieces(), ask.attempt(), limits);
      return Behaviors.same();
    }
    delivery.collect(pieces.pieces());
    if (delivery.collectedBytes() > settings.answerBytesMax() && run != null) {
      run.tell(new RunControl.Cancel());
    }
    return onConsumed();
  }

  /** The client's connection took a message of the run: the window moves on. */
  private Behavior<Object> onConsumed() {
    consumed++;
    if (run != null && consumed + WINDOW_MESSAGES - creditGiven >= WINDOW_MESSAGES / 2) {
      creditGiven = consumed + WINDOW_MESSAGES;
      run.tell(new RunControl.Credit(creditGiven));
    }
    return Behaviors.same();
  }

  private Behavior<Object> release(RunEvent.Ended end) {
    RunReport report = end.report();
    if (report.errorCode() != null) {
      return fail(Refusals.ofRun(report));
    }
    delivery.complete(end.tail(), ask.attempt(), limits);
    return stop();
  }

  private Behavior<Object> fail(Refusal refusal) {
    delivery.fail(refusal, ask.attempt(), limits);
    return stop();
  }

  private Behavior<Object> onClientGone() {
    clientGone = true;
    return switch (phase) {
      case ADMITTING, WAITING -> leave();
      case STARTING, RUNNING -> {
        if (run != null) {
          run.tell(new RunControl.Cancel());
        }
        enter(phase);
        yield Behaviors.same();
      }
      case ENDING -> fail(clientLeft());
    };
  }

  private Behavior<Object> leave() {
    settings.tenants().tell(tenant, new TenantEntity.Leave(ask.attempt()));
    return fail(clientLeft());
  }

  /** Nobody reads it, but an answer that never came would hold its connection for ever. */
  private static Refusal clientLeft() {
    return Refusal.of(499, "client_closed_request", "The client has left.");
  }

  private Behavior<Object> onTerminated(ActorRef<Void> gone) {
    if (run != null && gone.equals(run.<Void>unsafeUpcast())) {
      runLostMillis = now();
    }
    return Behaviors.same();
  }

  private Behavior<Object> onTick() {
    long now = now();
    tick = scheduleTick();
    long inPhase = now - phaseSinceMillis;
    return switch (phase) {
      case ADMITTING -> {
        if (now >= ask.deadlineMillis()) {
          yield fail(Refusals.journalUnavailable(Refusals.QUEUE_RETRY_MILLIS));
        }
        if (!settings.majority().getAsBoolean()) {
          yield cutOff();
        }
        askAgain(now);
        yield Behaviors.same();
      }
      case WAITING -> {
        if (!settings.majority().getAsBoolean()) {
          yield cutOff();
        }
        if (now >= ask.deadlineMillis()) {
          settings.tenants().tell(tenant, new TenantEntity.Leave(ask.attempt()));
          yield fail(Refusals.queueTimeout(now - ask.receivedAtMillis()));
        }
        keepAlive(now);
        askAgain(now);
        yield Behaviors.same();
      }
      case STARTING -> {
        if (inPhase > WORKER_SILENCE_MILLIS) {
          yield onLost();
        }
        // A message may be lost between nodes; the worker knows a ticket that it has seen.
        if (given != null && inPhase > SILENCE_MILLIS) {
          sendStart(given);
        }
        yield Behaviors.same();
      }
      case RUNNING -> {
        if (runLostMillis > 0 && now - runLostMillis > WORKER_WORD_MILLIS) {
          yield onLost();
        }
        yield clientGone && inPhase > FAREWELL_MILLIS ? fail(clientLeft()) : Behaviors.same();
      }
      case ENDING -> {
        if (inPhase > settings.durableWaitMillis()) {
          yield fail(Refusals.journalUnavailable(Refusals.QUEUE_RETRY_MILLIS));
        }
        if (ended != null) {
          settle(ended);
        }
        yield Behaviors.same();
      }
    };
  }

  /** Nothing has begun, and nobody who could let it begin is to be reached. */
  private Behavior<Object> cutOff() {
    settings.tenants().tell(tenant, new TenantEntity.Leave(ask.attempt()));
    return fail(Refusals.noMajority());
  }

  /** The worker is gone, and its run if there was one: another attempt, or a definite end. */
  private Behavior<Object> onLost() {
    Verdict.Go go = given;
    if (go == null || (phase != Phase.STARTING && phase != Phase.RUNNING)) {
      return Behaviors.same();
    }
    boolean begun = phase == Phase.RUNNING;
    RunReport lost = lostReport(go.order(), begun);
    if (!clientGone && delivery.isUntouched() && (!begun || retries < RETRIES_MAX)) {
      retries += begun ? 1 : 0;
      return tryAgain(go, lost);
    }
    ended = new RunEvent.Ended(ask.attempt(), lost, List.of());
    enter(Phase.ENDING);
    settings.tenants().tell(tenant, new TenantEntity.Settle(lost, null, context.getSelf()));
    return Behaviors.same();
  }

  /**
   * What a lost run is settled for, unless its worker has settled it. A run that never asked for
   * the body has spent nothing; another one has read it, and written at least what came here.
   */
  private RunReport lostReport(RunOrder order, boolean begun) {
    return new RunReport(
        order,
        RunReport.Outcome.FAILED,
        begun ? order.inputTokens() : 0,
        delivery.forwarded(),
        begun,
        order.model().name(),
        "upstream_error",
        LOST,
        null,
        502,
        -1,
        Math.max(0, now() - ask.receivedAtMillis()));
  }

  private Behavior<Object> tryAgain(Verdict.Go go, RunReport lost) {
    if (run != null) {
      context.unwatch(run);
      run = null;
    }
    runLostMillis = 0;
    durable = false;
    given = null;
    ask = ask.as(AttemptId.mint(settings.clock().instant(), settings.random()));
    retry = new TenantEntity.Retry(lost, go.ticket(), ask, context.getSelf());
    context
        .getLog()
        .warn("attempt {} was lost and goes on as {}", lost.order().attempt(), ask.attempt());
    enter(Phase.WAITING);
    askTenant();
    return Behaviors.same();
  }

  private void keepAlive(long now) {
    if (ask.stream()
        && now - ask.receivedAtMillis() >= HEADERS_HELD_MAX_MILLIS
        && now - lastCommentMillis >= QUEUED_COMMENT_MILLIS) {
      lastCommentMillis = now;
      delivery.stillQueued(ask.attempt(), limits);
    }
  }

  private void askAgain(long now) {
    if (now - lastAskedMillis >= SILENCE_MILLIS) {
      askTenant();
    }
  }

  private void askTenant() {
    lastAskedMillis = now();
    settings
        .tenants()
        .tell(
            tenant,
            retry != null
                ? retry
                : new TenantEntity.Admit(ask, context.getSelf(), settings.throttle()));
  }

  private Cancellable scheduleTick() {
    return context.scheduleOnce(TICK, context.getSelf(), Tick.TICK);
  }

  private void enter(Phase next) {
    phase = next;
    phaseSinceMillis = now();
  }

  private void settle(RunEvent.Ended end) {
    settings.tenants().tell(tenant, new TenantEntity.Settle(end.report(), null, context.getSelf()));
  }

  private Behavior<Object> stop() {
    tick.cancel();
    return Behaviors.stopped();
  }

  private Behavior<Object> onStop() {
    settings.inHand().remove(tenant, context.getSelf());
    return Behaviors.same();
  }

  private long now() {
    return settings.clock().millis();
  }
}
