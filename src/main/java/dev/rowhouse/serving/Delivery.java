package dev.rowhouse.serving;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of one answer has gone to the client, or is collected for it: the client's side of {@link
 * Answering}, and a part of that actor.
 */
final class Delivery {
  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  /** Beside the window of messages: comments, the tail, the end. */
  private static final int QUEUE_SLACK = 32;

  private final ActorContext<Object> context;
  private final boolean streams;
  private final CompletableFuture<Answer> answer;
  private @Nullable BoundedSourceQueue<Answer.Part> stream;
  private ByteString whole = ByteString.emptyByteString();
  private long forwarded;

  /** Whether this side has ended the stream; its parts may be taken after the actor is gone. */
  private final AtomicBoolean over = new AtomicBoolean();

  Delivery(ActorContext<Object> context, boolean streams, CompletableFuture<Answer> answer) {
    this.context = context;
    this.streams = streams;
    this.answer = answer;
  }

  /** Whether no run has given anything yet: then another one may take its place. */
  boolean isUntouched() {
    return forwarded == 0 && whole.isEmpty();
  }

  /** Chunks of a stream so far, which is about how many tokens it had. */
  long forwarded() {
    return forwarded;
  }

  int collectedBytes() {
    return whole.size();
  }

  void collect(List<ByteString> pieces) {
    for (ByteString piece : pieces) {
      whole = whole.concat(piece);
    }
  }

  void forward(List<ByteString> chunks, String attempt, @Nullable LimitsView limits) {
    forwarded += chunks.size();
    open(attempt, limits).offer(new Answer.Part.Chunks(chunks));
  }

  void stillQueued(String attempt, @Nullable LimitsView limits) {
    open(attempt, limits).offer(new Answer.Part.StillQueued());
  }

  /** The good end, with the rest of the answer. */
  void complete(List<ByteString> tail, String attempt, @Nullable LimitsView limits) {
    if (!streams) {
      collect(tail);
      answer.complete(new Answer.Whole(attempt, whole, limits));
      return;
    }
    BoundedSourceQueue<Answer.Part> open = open(attempt, limits);
    open.offer(new Answer.Part.Chunks(tail));
    open.offer(new Answer.Part.Done());
    over.set(true);
    end(open);
  }

  /** The bad end: a status while that is possible, else an error in the stream. */
  void fail(Refusal refusal, String attempt, @Nullable LimitsView limits) {
    if (stream == null) {
      answer.complete(new Answer.Refused(attempt, refusal, limits));
    } else {
      stream.offer(new Answer.Part.Broken(refusal));
      over.set(true);
      end(stream);
    }
  }

  /** A client that has left has ended it, and that may be in the same moment. */
  private static void end(BoundedSourceQueue<Answer.Part> open) {
    try {
      open.complete();
    } catch (IllegalStateException ended) {
      LOG.debug("the client has left before the end: {}", ended.getMessage());
    }
  }

  private BoundedSourceQueue<Answer.Part> open(String attempt, @Nullable LimitsView limits) {
    BoundedSourceQueue<Answer.Part> open = stream;
    if (open == null) {
      var self = context.getSelf();
      var queueAndSource =
          Source.<Answer.Part>queue(Answering.WINDOW_MESSAGES + QUEUE_SLACK)
              .preMaterialize(context.getSystem());
      open = queueAndSource.first();
      stream = open;
      AtomicBoolean ended = over;
      Source<Answer.Part, NotUsed> parts =
          queueAndSource
              .second()
              .map(
                  part -> {
                    if (part instanceof Answer.Part.Chunks && !ended.get()) {
                      self.tell(Answering.Consumed.CONSUMED);
                    }
                    return part;
                  })
              .watchTermination(
                  (notUsed, done) -> {
                    done.whenComplete(
                        (ok, failure) -> {
                          if (!ended.get()) {
                            self.tell(Answering.ClientGone.CLIENT_GONE);
                          }
                        });
                    return notUsed;
                  });
      answer.complete(new Answer.Streamed(attempt, parts, limits));
    }
    return open;
  }
}
