package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.inference.PassageSource.Passage;
import dev.rowhouse.inference.RunOrder.RetrievalPlan;
import dev.rowhouse.tenant.ModelSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * One request, from its body to its end.
 *
 * <pre>
 * PULLING    the body comes in pieces; a lost piece is asked for again
 * SEARCHING  the tenant's stores are searched for passages; skipped without retrieval
 * CALLING    the engine answers; a model that fails before its first token gives way to the next
 * FLUSHING   the answer is complete, and more of it is left than the end may carry
 * </pre>
 *
 * Whatever happens, the gateway gets one Ended and the worker one RunEnded. Cancel, and the death
 * of the gateway, stop the engine at once and settle what was spent.
 */
final class Run extends AbstractBehavior<RunMessage> {
  private enum Phase {
    PULLING,
    SEARCHING,
    CALLING,
    FLUSHING
  }

  private final Runs house;
  private final RunOrder order;
  private final List<ModelSpec> models;
  private final Outbox outbox;
  private final RunLine line;
  private final RunNotes notes;
  private final RunTimer timer;

  private Phase phase = Phase.PULLING;
  private final BodyIntake intake;
  private @Nullable ChatBody body;
  private List<Passage> passages = List.of();
  private String systemText = "";

  private int nextModel;
  private int callNumber;
  private @Nullable EngineCall call;
  private boolean pulling;
  private Draft draft;
  private List<ByteString> tail = List.of();

  private Run(
      ActorContext<RunMessage> context,
      Runs house,
      RunOrder order,
      ActorRef<RunEvent> gateway,
      ActorRef<RunNote> worker) {
    super(context);
    this.house = house;
    this.order = order;
    this.outbox = new Outbox(house.settings().initialCredit(), house.settings().coalesceBytesMax());
    this.line = new RunLine(order.attempt(), outbox, gateway, worker);
    this.notes =
        new RunNotes(
            order.attempt(), worker, house.settings().progressInterval().toMillis(), now());
    this.timer =
        new RunTimer(
            context, context.getSelf().narrow(), house.clock(), order.deadline().toEpochMilli());
    this.models = new ArrayList<>(order.fallbacks().size() + 1);
    models.add(order.model());
    models.addAll(order.fallbacks());
    this.intake = new BodyIntake(order.bodyBytes());
    this.draft = new Draft(order, order.model().name(), 0, "", outbox);
    context.watchWith(gateway, new RunMessage.GatewayGone());
    pullBody();
  }

  static Behavior<RunControl> create(
      Runs house, RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker) {
    return Behaviors.<RunMessage>setup(context -> new Run(context, house, order, gateway, worker))
        .narrow();
  }

  @Override
  public Receive<RunMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(RunMessage.class, this::on)
        .onSignal(PostStop.class, _ -> onStop())
        .build();
  }

  private Behavior<RunMessage> on(RunMessage message) {
    try {
      return switch (message) {
        case RunControl.Body piece -> onBody(piece);
        case RunControl.Credit credit -> onCredit(credit);
        case RunControl.Cancel() -> cancelled();
        case RunMessage.GatewayGone() -> cancelled();
        case RunMessage.Found found -> onFound(found);
        case RunMessage.Arrived arrived -> onArrived(arrived);
        case RunMessage.Tick() -> onTick();
      };
    } catch (ForeignPart e) {
      getContext().getLog().error("attempt {}: {}", order.attempt(), e.getMessage());
      return fail(Failure.internal());
    } catch (RuntimeException e) {
      getContext().getLog().error("attempt {} of tenant {}", order.attempt(), order.tenant(), e);
      return fail(Failure.internal());
    }
  }

  private void pullBody() {
    line.pullBody(intake.offset(), getContext().getSelf().narrow());
    timer.expectWithin(house.settings().bodyRetry().toMillis());
  }

  private Behavior<RunMessage> onBody(RunControl.Body piece) {
    if (phase != Phase.PULLING || !intake.isNext(piece)) {
      return this;
    }
    try {
      if (!intake.accept(piece)) {
        pullBody();
        return this;
      }
      ChatBody parsed = ChatBody.parse(intake.take());
      body = parsed;
      return search(parsed);
    } catch (BadBody e) {
      return fail(e.failure());
    }
  }

  private Behavior<RunMessage> search(ChatBody parsed) throws BadBody {
    RetrievalPlan plan = order.retrieval();
    if (plan == null) {
      return prepare(List.of());
    }
    String query = parsed.lastUserText();
    if (query.isEmpty()) {
      return prepare(List.of());
    }
    phase = Phase.SEARCHING;
    getContext().pipeToSelf(house.passages().search(plan, query), RunMessage.Found::new);
    timer.expectWithin(house.settings().searchTimeout().toMillis());
    return this;
  }

  private Behavior<RunMessage> onFound(RunMessage.Found found) {
    if (phase != Phase.SEARCHING) {
      return this;
    }
    List<Passage> best = found.passages();
    if (best == null) {
      Throwable error = found.error();
      Throwable cause = error instanceof CompletionException ? error.getCause() : error;
      if (cause instanceof IllegalArgumentException bad) {
        return fail(Failure.invalid(String.valueOf(bad.getMessage()), "rowhouse.retrieval.stores"));
      }
      getContext().getLog().warn("attempt {}: the search failed", order.attempt(), found.error());
      return fail(Failure.capacity("the documents cannot be searched at the moment"));
    }
    return prepare(best);
  }

  private Behavior<RunMessage> prepare(List<Passage> found) {
    PromptAssembly.check(order.tenant(), found);
    passages = List.copyOf(found);
    try {
      systemText =
          PromptAssembly.systemText(
              order.tenant(),
              order.prompt() == null
                  ? null
                  : new PromptAssembly.TemplatePart(
                      order.tenant(), order.prompt(), order.variables()),
              passages,
              house.templates());
    } catch (IllegalArgumentException e) {
      return fail(Failure.invalid("the prompt: " + e.getMessage(), "rowhouse.prompt"));
    }
    return callNextModel();
  }

  private Behavior<RunMessage> callNextModel() {
    ChatBody asked = body;
    if (asked == null) {
      throw new IllegalStateException("called before the body was there");
    }
    phase = Phase.CALLING;
    ModelSpec model = models.get(nextModel++);
    draft = new Draft(order, model.name(), now() / 1000, systemText, outbox);
    Engine engine = house.engine(model.engine());
    if (engine == null) {
      return failed(Failure.upstream("no engine of this node runs the model"));
    }
    callNumber++;
    boolean searched = order.retrieval() != null;
    call =
        engine.call(
            new EngineRequest(
                order.attempt(), model, order.stream(), asked, systemText, passages, searched));
    draft.tally().called();
    notes.calling(model.name(), now());
    pull();
    return this;
  }

  /** Asks for more, unless the gateway is so slow that there is no room for it. */
  private void pull() {
    EngineCall active = call;
    if (active == null || pulling || outbox.isFull()) {
      return;
    }
    pulling = true;
    int number = callNumber;
    timer.expectWithin(active.patienceMillis());
    getContext()
        .pipeToSelf(
            active.next(), (events, error) -> new RunMessage.Arrived(number, events, error));
  }

  private Behavior<RunMessage> onArrived(RunMessage.Arrived arrived) {
    if (arrived.call() != callNumber || call == null) {
      return this;
    }
    pulling = false;
    timer.expectNothing();
    List<EngineEvent> events = arrived.events();
    if (events == null) {
      getContext().getLog().error("attempt {}: the engine", order.attempt(), arrived.error());
      return failed(Failure.internal());
    }
    for (EngineEvent event : events) {
      switch (event) {
        case EngineEvent.Usage usage -> draft.tally().usage(usage);
        case EngineEvent.Chunk chunk -> {
          notes.answered(now());
          draft.accept(chunk, now());
        }
        case EngineEvent.Whole whole -> {
          notes.answered(now());
          draft.accept(whole, now());
        }
        case EngineEvent.Done done -> {
          return complete(done.citations());
        }
        case EngineEvent.Failed failed -> {
          return failed(failed.failure());
        }
      }
    }
    line.flush();
    pull();
    noteProgress();
    return this;
  }

  private void noteProgress() {
    Tally tally = draft.tally();
    if (tally.hasSpent()) {
      notes.spent(tally.inputTokensSoFar(), tally.outputTokensSoFar(), now());
    }
  }

  private Behavior<RunMessage> failed(Failure failure) {
    notes.failed(failure, now());
    stopCall();
    if (failure.mayFallBack() && nextModel < models.size() && draft.isReplaceable()) {
      return callNextModel();
    }
    return fail(failure);
  }

  private Behavior<RunMessage> complete(List<Passage> citations) {
    call = null; // it ends by itself, and its connection may serve the next request
    phase = Phase.FLUSHING;
    tail = draft.finish(citations, house.settings().pieceBytesMax());
    if (tail.isEmpty()) {
      return fail(Failure.upstream("the upstream gave no answer"));
    }
    return finishFlushing();
  }

  private Behavior<RunMessage> onCredit(RunControl.Credit credit) {
    outbox.credit(credit.upTo());
    if (phase == Phase.FLUSHING) {
      return finishFlushing();
    }
    line.flush();
    pull();
    return this;
  }

  private Behavior<RunMessage> finishFlushing() {
    line.flush();
    return outbox.isFull() ? this : end(draft.tally().completed(now()), line.withPending(tail));
  }

  private Behavior<RunMessage> cancelled() {
    stopCall();
    return end(draft.tally().cancelled(now()), List.of());
  }

  /** The end of a request that cannot be answered, or not any further. */
  private Behavior<RunMessage> fail(Failure failure) {
    stopCall();
    RunReport report = draft.tally().failed(failure, now());
    boolean midStream = order.stream() && outbox.isUsed();
    // Text that no longer fits one message is left out before the error.
    return end(
        report, midStream ? line.withPending(List.of(AnswerWriter.error(failure))) : List.of());
  }

  private Behavior<RunMessage> end(RunReport report, List<ByteString> last) {
    line.end(report, last);
    return Behaviors.stopped();
  }

  private Behavior<RunMessage> onStop() {
    stopCall();
    timer.cancel();
    return this;
  }

  private void stopCall() {
    EngineCall active = call;
    call = null;
    pulling = false;
    if (active != null) {
      active.cancel();
    }
  }

  private long now() {
    return house.clock().millis();
  }

  private Behavior<RunMessage> onTick() {
    return switch (timer.tick()) {
      case NOTHING -> this;
      case DEADLINE ->
          fail(Failure.timeout("the answer was not complete at the request's deadline"));
      case OVERDUE ->
          switch (phase) {
            case PULLING -> {
              pullBody();
              yield this;
            }
            case SEARCHING ->
                fail(Failure.capacity("the documents cannot be searched at the moment"));
            case CALLING ->
                pulling
                    ? failed(
                        Failure.timeout("the model did not answer in time")
                            .saying(CallOutcome.FAULT))
                    : this;
            case FLUSHING -> this; // only the gateway can hurry
          };
    };
  }
}
