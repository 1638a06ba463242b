package dev.rowhouse.serving;

import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.RunReport;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Source;
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

  /** Beside the window: comments, the tail, the end. */
  private static final int QUEUE_SLACK = 32;

  /** A body travels in pieces that fit an Artery frame of 256 KiB. */
  private static final int BODY_PIECE_BYTES = 128 * 1024;

  private static final Duration TICK = Duration.ofMillis(500);

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

  private enum Consumed {
    CONSUMED
  }

  /**
   * What stays the same for every request of a gateway.
   *
   * @param durableWaitMillis how long an end waits for the journal
   * @param answerBytesMax the largest answer that is collected for a client that does not stream
   * @param throttle the way to what this gateway refuses by itself
   */
  public record Settings(
      TenantPort tenants,
      InstantSource clock,
      long durableWaitMillis,
      int answerBytesMax,
      ActorRef<Throttle.Notice> throttle) {}

  private final ActorContext<Object> context;
  private final Settings settings;
  private final TenantId tenant;
  private final Ask ask;
  private final ByteString body;
  private final CompletableFuture<Answer> answer;
  private Cancellable tick;
  private Phase phase = Phase.ADMITTING;
  private long phaseSinceMillis;
  private long lastAskedMillis;
  private long lastCommentMillis;
  private @Nullable LimitsView limits;
  private @Nullable RunOrder order;
  private Verdict.@Nullable Go given;
  private @Nullable ActorRef<RunControl> run;
  private @Nullable BoundedSourceQueue<Answer.Part> stream;
  private ByteString whole = ByteString.emptyByteString();

  /** Whether this side has ended the stream; its parts may be taken after the actor is gone. */
  private final AtomicBoolean streamOver = new AtomicBoolean();

  private long consumed;

  /** Chunks of a stream that the run has sent, which is about how many tokens it had. */
  private long forwarded;

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
    this.answer = answer;
    this.phaseSinceMillis = now();
    this.tick = scheduleTick();
    admit();
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
                  signal instanceof Terminated ? answering.onRunTerminated() : Behaviors.same());
        });
  }

  private Behavior<Object> onMessage(Object message) {
    return switch (message) {
      case Verdict verdict -> onVerdict(verdict);
      case RunEvent event -> onRunEvent(event);
      case Consumed _ -> onConsumed();
      case ClientGone _ -> onClientGone();
      case Tick _ -> onTick();
      default -> Behaviors.unhandled();
    };
  }

  private Behavior<Object> onVerdict(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Go go -> start(go);
      case Verdict.Waiting waiting -> {
        if (phase == Phase.ADMITTING) {
          limits = waiting.limits();
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
      case Verdict.Durable _ -> {
        durable = true;
        yield ended != null ? release(ended) : Behaviors.same();
      }
    };
  }

  private Behavior<Object> start(Verdict.Go go) {
    Verdict.Go before = given;
    if (phase == Phase.RUNNING || phase == Phase.ENDING) {
      if (before == null || !before.ticket().equals(go.ticket())) {
        go.worker().tell(new SlotOwner.Return(go.ticket()));
      }
      return Behaviors.same();
    }
    if (clientGone) {
      go.worker().tell(new SlotOwner.Return(go.ticket()));
      return leave();
    }
    limits = go.limits();
    order = go.order();
    given = go;
    enter(Phase.STARTING);
    go.worker().tell(new WorkerCommand.Start(go.ticket(), go.order(), context.getSelf().narrow()));
    return Behaviors.same();
  }

  private Behavior<Object> onRunEvent(RunEvent event) {
    return switch (event) {
      case RunEvent.PullBody pull -> {
        if (run == null) {
          run = pull.run();
          context.watch(pull.run());
          enter(Phase.RUNNING);
        }
        if (clientGone) {
          pull.run().tell(new RunControl.Cancel());
        } else {
          int end = Math.min(body.size(), pull.offset() + BODY_PIECE_BYTES);
          pull.run()
              .tell(
                  new RunControl.Body(
                      pull.offset(), body.slice(pull.offset(), end), end == body.size()));
        }
        yield Behaviors.same();
      }
      case RunEvent.Pieces pieces -> onPieces(pieces);
      case RunEvent.Ended end -> {
        ended = end;
        enter(Phase.ENDING);
        yield durable ? release(end) : Behaviors.same();
      }
      case RunEvent.TicketRefused _ ->
          phase == Phase.STARTING ? waitForAnotherSlot() : Behaviors.same();
    };
  }

  private Behavior<Object> waitForAnotherSlot() {
    if (clientGone) {
      return leave();
    }
    enter(Phase.WAITING);
    settings.tenants().tell(tenant, new TenantEntity.Requeue(ask.attempt()));
    return Behaviors.same();
  }

  private Behavior<Object> onPieces(RunEvent.Pieces pieces) {
    if (clientGone) {
      return Behaviors.same();
    }
    if (!ask.stream()) {
      for (ByteString piece : pieces.pieces()) {
        whole = whole.concat(piece);
      }
      if (whole.size() > settings.answerBytesMax() && run != null) {
        run.tell(new RunControl.Cancel());
      }
      return onConsumed();
    }
    forwarded += pieces.pieces().size();
    openStream().offer(new Answer.Part.Chunks(pieces.pieces()));
    return Behaviors.same();
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
    String errorCode = report.errorCode();
    if (errorCode != null) {
      String message = report.errorMessage() == null ? errorCode : report.errorMessage();
      return fail(Refusals.ofRun(report.httpStatus(), errorCode, message, report.errorParam()));
    }
    if (!ask.stream()) {
      for (ByteString piece : end.tail()) {
        whole = whole.concat(piece);
      }
      answer.complete(new Answer.Whole(whole, limits));
      return stop();
    }
    BoundedSourceQueue<Answer.Part> open = openStream();
    open.offer(new Answer.Part.Chunks(end.tail()));
    open.offer(new Answer.Part.Done());
    streamOver.set(true);
    open.complete();
    return stop();
  }

  private Behavior<Object> fail(Refusal refusal) {
    if (stream == null) {
      answer.complete(new Answer.Refused(refusal, limits));
    } else {
      stream.offer(new Answer.Part.Broken(refusal));
      streamOver.set(true);
      stream.complete();
    }
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

  private Behavior<Object> onRunTerminated() {
    runLostMillis = now();
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
        askAgain(now);
        yield Behaviors.same();
      }
      case WAITING -> {
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
          yield waitForAnotherSlot();
        }
        // A message may be lost between nodes; the worker knows a ticket that it has seen.
        Verdict.Go go = given;
        if (go != null && inPhase > SILENCE_MILLIS) {
          go.worker()
              .tell(new WorkerCommand.Start(go.ticket(), go.order(), context.getSelf().narrow()));
        }
        yield Behaviors.same();
      }
      case RUNNING -> {
        if (runLostMillis > 0 && now - runLostMillis > WORKER_WORD_MILLIS) {
          yield settleForLostWorker(now);
        }
        yield clientGone && inPhase > FAREWELL_MILLIS ? fail(clientLeft()) : Behaviors.same();
      }
      case ENDING -> {
        if (inPhase > settings.durableWaitMillis()) {
          yield fail(Refusals.journalUnavailable(Refusals.QUEUE_RETRY_MILLIS));
        }
        if (ended != null) {
          settings
              .tenants()
              .tell(tenant, new TenantEntity.Settle(ended.report(), null, context.getSelf()));
        }
        yield Behaviors.same();
      }
    };
  }

  /** The worker is gone with its run: the gateway settles what it has forwarded, as an estimate. */
  private Behavior<Object> settleForLostWorker(long now) {
    if (order == null) {
      return fail(
          Refusals.ofRun(502, "upstream_error", "The worker of this request was lost.", null));
    }
    RunReport report =
        new RunReport(
            order,
            RunReport.Outcome.FAILED,
            order.inputTokens(),
            forwarded,
            true,
            order.model().name(),
            "upstream_error",
            "The worker of this request was lost.",
            null,
            502,
            -1,
            now - ask.receivedAtMillis());
    ended = new RunEvent.Ended(ask.attempt(), report, List.of());
    enter(Phase.ENDING);
    settings.tenants().tell(tenant, new TenantEntity.Settle(report, null, context.getSelf()));
    return Behaviors.same();
  }

  private void keepAlive(long now) {
    if (ask.stream()
        && now - ask.receivedAtMillis() >= HEADERS_HELD_MAX_MILLIS
        && now - lastCommentMillis >= QUEUED_COMMENT_MILLIS) {
      lastCommentMillis = now;
      openStream().offer(new Answer.Part.StillQueued());
    }
  }

  private void askAgain(long now) {
    if (now - lastAskedMillis >= SILENCE_MILLIS) {
      admit();
    }
  }

  private void admit() {
    lastAskedMillis = now();
    settings
        .tenants()
        .tell(tenant, new TenantEntity.Admit(ask, context.getSelf(), settings.throttle()));
  }

  private BoundedSourceQueue<Answer.Part> openStream() {
    BoundedSourceQueue<Answer.Part> open = stream;
    if (open == null) {
      ActorRef<Object> self = context.getSelf();
      var queueAndSource =
          Source.<Answer.Part>queue(WINDOW_MESSAGES + QUEUE_SLACK)
              .preMaterialize(context.getSystem());
      open = queueAndSource.first();
      stream = open;
      AtomicBoolean over = streamOver;
      Source<Answer.Part, NotUsed> parts =
          queueAndSource
              .second()
              .map(
                  part -> {
                    if (part instanceof Answer.Part.Chunks && !over.get()) {
                      self.tell(Consumed.CONSUMED);
                    }
                    return part;
                  })
              .watchTermination(
                  (notUsed, done) -> {
                    done.whenComplete(
                        (ok, failure) -> {
                          if (!over.get()) {
                            self.tell(ClientGone.CLIENT_GONE);
                          }
                        });
                    return notUsed;
                  });
      answer.complete(new Answer.Streamed(parts, limits));
    }
    return open;
  }

  private Cancellable scheduleTick() {
    return context.scheduleOnce(TICK, context.getSelf(), Tick.TICK);
  }

  private void enter(Phase next) {
    phase = next;
    phaseSinceMillis = now();
  }

  private Behavior<Object> stop() {
    tick.cancel();
    return Behaviors.stopped();
  }

  private long now() {
    return settings.clock().millis();
  }
}
