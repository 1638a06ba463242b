package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.tenant.ModelSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
 * One request for embeddings, from its body to its end.
 *
 * <pre>
 * PULLING    the body comes in pieces; a lost piece is asked for again
 * EMBEDDING  one text after the other is with the embedder, as long as the gateway takes the vectors
 * FLUSHING   the answer is complete, and more of it is left than the end may carry
 * </pre>
 *
 * A run that must end early (Cancel, the death of the gateway, the deadline) ends between two
 * texts: its slot stands for a core, which is busy until then. What was embedded is settled,
 * however the run ends.
 */
final class EmbeddingRun extends AbstractBehavior<EmbeddingMessage> {
  private enum Phase {
    PULLING,
    EMBEDDING,
    FLUSHING
  }

  private final Runs house;
  private final RunOrder order;
  private final BodyIntake intake;
  private final Outbox outbox;
  private final RunLine line;
  private final RunNotes notes;
  private final RunTimer timer;
  private final Tally tally;

  private Phase phase = Phase.PULLING;
  private @Nullable EmbeddingBody body;
  private int nextText;
  private boolean embedding;
  private long inputTokens;

  /** The last piece of the answer so far, which may yet grow. */
  private ByteString rest = ByteString.fromString("{\"object\":\"list\",\"data\":[");

  /** Whether the run ends after the text in hand; without a reason the client has left. */
  private boolean stopping;

  private @Nullable Failure reason;

  private EmbeddingRun(
      ActorContext<EmbeddingMessage> context,
      Runs house,
      RunOrder order,
      ActorRef<RunEvent> gateway,
      ActorRef<RunNote> worker) {
    super(context);
    this.house = house;
    this.order = order;
    this.intake = new BodyIntake(order.bodyBytes());
    this.outbox = new Outbox(house.settings().initialCredit(), house.settings().coalesceBytesMax());
    this.line = new RunLine(order.attempt(), outbox, gateway, worker);
    this.notes =
        new RunNotes(
            order.attempt(), worker, house.settings().progressInterval().toMillis(), now());
    this.timer =
        new RunTimer(
            context, context.getSelf().narrow(), house.clock(), order.deadline().toEpochMilli());
    this.tally = new Tally(order, order.model().name(), "");
    context.watchWith(gateway, new RunMessage.GatewayGone());
    pullBody();
  }

  static Behavior<RunControl> create(
      Runs house, RunOrder order, ActorRef<RunEvent> gateway, ActorRef<RunNote> worker) {
    return Behaviors.<EmbeddingMessage>setup(
            context -> new EmbeddingRun(context, house, order, gateway, worker))
        .narrow();
  }

  @Override
  public Receive<EmbeddingMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(EmbeddingMessage.class, this::on)
        .onSignal(PostStop.class, _ -> onStop())
        .build();
  }

  private Behavior<EmbeddingMessage> on(EmbeddingMessage message) {
    try {
      return switch (message) {
        case RunControl.Body piece -> onBody(piece);
        case RunControl.Credit credit -> onCredit(credit);
        case RunControl.Cancel() -> stop(null);
        case RunMessage.GatewayGone() -> stop(null);
        case EmbeddingMessage.Embedded embedded -> onEmbedded(embedded);
        case RunMessage.Tick() -> onTick();
      };
    } catch (RuntimeException e) {
      getContext().getLog().error("attempt {} of tenant {}", order.attempt(), order.tenant(), e);
      return endEarly(Failure.internal());
    }
  }

  private void pullBody() {
    line.pullBody(intake.offset(), getContext().getSelf().narrow());
    timer.expectWithin(house.settings().bodyRetry().toMillis());
  }

  private Behavior<EmbeddingMessage> onBody(RunControl.Body piece) {
    if (phase != Phase.PULLING || !intake.isNext(piece)) {
      return this;
    }
    try {
      if (!intake.accept(piece)) {
        pullBody();
        return this;
      }
      EmbeddingBody asked = EmbeddingBody.parse(intake.take());
      checkLength(asked);
      body = asked;
    } catch (BadBody e) {
      return endEarly(e.failure());
    }
    ModelSpec model = order.model();
    String wanted = model.upstreamModel() == null ? model.name() : model.upstreamModel();
    if (!wanted.equals(house.embedder().model())) {
      return endEarly(Failure.upstream("no embedder of this node is the model"));
    }
    phase = Phase.EMBEDDING;
    timer.expectNothing();
    return embedNext();
  }

  private void checkLength(EmbeddingBody asked) throws BadBody {
    int length = house.embedder().dimensions();
    if (asked.dimensions() != null && asked.dimensions() != length) {
      throw new BadBody("dimensions: must be " + length + ", or absent", "dimensions");
    }
  }

  private Behavior<EmbeddingMessage> embedNext() {
    EmbeddingBody asked = body;
    if (asked == null || embedding || outbox.isFull()) {
      return this;
    }
    if (nextText == asked.texts().size()) {
      return complete();
    }
    embedding = true;
    timer.expectWithin(house.settings().textTimeout().toMillis());
    int index = nextText++;
    String text = asked.texts().get(index);
    TextEmbedder embedder = house.embedder();
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () ->
                    new EmbeddingMessage.Embedded(
                        embedder.tokens(text),
                        entry(index, embedder.embed(text), asked.base64()),
                        null),
                house.blocking()),
            (embedded, error) ->
                embedded != null ? embedded : new EmbeddingMessage.Embedded(0, null, error));
    return this;
  }

  private Behavior<EmbeddingMessage> onEmbedded(EmbeddingMessage.Embedded embedded) {
    embedding = false;
    timer.expectNothing();
    ByteString json = embedded.json();
    if (json == null) {
      getContext().getLog().error("attempt {}: the embedder", order.attempt(), embedded.error());
      return endEarly(stopping ? reason : Failure.internal());
    }
    inputTokens += embedded.tokens();
    tally.usage(new EngineEvent.Usage(inputTokens, 0, usage()));
    if (stopping) {
      return endEarly(reason);
    }
    notes.spent(inputTokens, 0, now());
    write(json);
    line.flush();
    return embedNext();
  }

  private Behavior<EmbeddingMessage> complete() {
    phase = Phase.FLUSHING;
    write(
        new JsonBytes(192)
            .raw("],\"model\":")
            .string(order.model().name())
            .raw(",\"usage\":")
            .raw(usage())
            .raw("}")
            .done());
    return finishFlushing();
  }

  private Behavior<EmbeddingMessage> onCredit(RunControl.Credit credit) {
    outbox.credit(credit.upTo());
    if (phase == Phase.FLUSHING) {
      return finishFlushing();
    }
    line.flush();
    return stopping ? this : embedNext();
  }

  private Behavior<EmbeddingMessage> finishFlushing() {
    line.flush();
    if (outbox.isFull()) {
      return this;
    }
    line.end(tally.completed(now()), line.withPending(List.of(rest)));
    return Behaviors.stopped();
  }

  /** Ends the run after the text in hand. */
  private Behavior<EmbeddingMessage> stop(@Nullable Failure why) {
    if (stopping) {
      return this;
    }
    stopping = true;
    reason = why;
    return embedding ? this : endEarly(why);
  }

  /** The end without an answer; what was sent of it is worth nothing to the gateway. */
  private Behavior<EmbeddingMessage> endEarly(@Nullable Failure why) {
    line.end(why == null ? tally.cancelled(now()) : tally.failed(why, now()), List.of());
    return Behaviors.stopped();
  }

  private Behavior<EmbeddingMessage> onTick() {
    return switch (timer.tick()) {
      case NOTHING -> this;
      case DEADLINE ->
          stop(Failure.timeout("the answer was not complete at the request's deadline"));
      case OVERDUE -> {
        if (phase == Phase.PULLING) {
          pullBody();
          yield this;
        }
        if (!embedding) {
          yield this;
        }
        yield endEarly(stopping ? reason : Failure.timeout("the model did not answer in time"));
      }
    };
  }

  private Behavior<EmbeddingMessage> onStop() {
    timer.cancel();
    return this;
  }

  private long now() {
    return house.clock().millis();
  }

  /** Adds to the answer; a piece that would become too long for a message is complete before it. */
  private void write(ByteString json) {
    if (rest.size() + json.size() > house.settings().pieceBytesMax()) {
      outbox.add(rest);
      rest = json;
    } else {
      rest = rest.concat(json);
    }
  }

  private ByteString usage() {
    return new JsonBytes(96)
        .raw("{\"prompt_tokens\":")
        .number(inputTokens)
        .raw(",\"total_tokens\":")
        .number(inputTokens)
        .raw("}")
        .done();
  }

  private static ByteString entry(int index, float[] vector, boolean base64) {
    JsonBytes json = new JsonBytes(vector.length * 13 + 64);
    json.raw(index == 0 ? "" : ",").raw("{\"object\":\"embedding\",\"index\":").number(index);
    json.raw(",\"embedding\":");
    if (base64) {
      ByteBuffer bytes = ByteBuffer.allocate(vector.length * 4).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(vector);
      json.raw("\"").raw(Base64.getEncoder().encodeToString(bytes.array())).raw("\"");
    } else {
      for (int i = 0; i < vector.length; i++) {
        json.raw(i == 0 ? "[" : ",").number(vector[i]);
      }
      json.raw("]");
    }
    return json.raw("}").done();
  }
}
