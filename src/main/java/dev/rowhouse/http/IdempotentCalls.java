package dev.rowhouse.http;

import dev.rowhouse.serving.Answer;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.serving.Idempotency;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.Scope;
import dev.rowhouse.tenant.TenantId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.UniformFanOutShape;
import org.apache.pekko.stream.javadsl.Broadcast;
import org.apache.pekko.stream.javadsl.GraphDSL;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP side of {@link Idempotency}: calls with an {@code Idempotency-Key}. The key of the
 * tenant is looked up first, so that one that was revoked sees no kept answer. A first request goes
 * on to its end although its client leaves: the client that comes again gets the answer it missed.
 */
final class IdempotentCalls {
  static final String HEADER = "Idempotency-Key";

  /** Marks an answer that was given before. */
  static final String REPLAYED = "idempotent-replayed";

  /** Of a replayed answer, the request id that it had, which is the one of its usage record. */
  static final String ORIGINAL = "idempotent-original-request-id";

  /** A no to the body itself, which the same body gets every time; all others may go away. */
  private static final Set<Integer> LASTING = Set.of(400, 413, 422);

  private final ActorSystem<?> system;
  private final TenantPort tenants;
  private final Idempotency idempotency;

  IdempotentCalls(ActorSystem<?> system, TenantPort tenants, Idempotency idempotency) {
    this.system = system;
    this.tenants = tenants;
    this.idempotency = idempotency;
  }

  /** The header's values; empty: the call has none, and costs no more than this look. */
  static List<String> keys(Call call) {
    List<String> keys = new ArrayList<>(1);
    for (HttpHeader header : call.request().getHeaders()) {
      if (header.is("idempotency-key")) {
        keys.add(header.value());
      }
    }
    return keys;
  }

  /** What is wrong with those; absent: nothing. */
  static @Nullable Refusal fault(List<String> keys) {
    if (keys.size() != 1) {
      return Replies.badRequest(HEADER, "The header " + HEADER + " must be sent once.");
    }
    String key = keys.getFirst();
    if (key.isBlank() || key.length() > Idempotency.KEY_LENGTH_MAX) {
      return Replies.badRequest(
          HEADER,
          "The header "
              + HEADER
              + " must have 1 to "
              + Idempotency.KEY_LENGTH_MAX
              + " characters.");
    }
    return key.chars().allMatch(c -> c >= 0x20 && c < 0x7f)
        ? null
        : Replies.badRequest(
            HEADER, "The header " + HEADER + " must have printable ASCII characters only.");
  }

  /**
   * Answers a call with a key.
   *
   * @param run runs the request; called when it is the first with its key
   */
  CompletionStage<HttpResponse> answer(
      Call call,
      TenantId tenant,
      Ask ask,
      ByteString body,
      String key,
      Supplier<CompletionStage<Answer>> run) {
    return tenants
        .<TenantEntity.Authorization>ask(
            tenant, replyTo -> new TenantEntity.Authorize(ask.key(), Scope.INFERENCE, replyTo))
        .handle(
            (authorization, failure) ->
                switch (authorization) {
                  case null -> done(Replies.openAiError(away()));
                  case TenantEntity.Denied denied -> done(Replies.openAiError(denied.refusal()));
                  case TenantEntity.Granted granted ->
                      begin(call, tenant, ask, body, key, granted.limits(), run);
                })
        .thenCompose(stage -> stage);
  }

  private CompletionStage<HttpResponse> begin(
      Call call,
      TenantId tenant,
      Ask ask,
      ByteString body,
      String key,
      LimitsView limits,
      Supplier<CompletionStage<Answer>> run) {
    byte[] path = ("/" + String.join("/", call.segments()) + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] request = ByteString.fromArray(path).concat(body).toArray();
    return idempotency
        .begin(tenant, key, request, ask.attempt())
        .handle(
            (begin, failure) ->
                switch (begin) {
                  case null -> done(Replies.openAiError(away()));
                  case Idempotency.Refused refused -> done(refused(refused.refusal()));
                  case Idempotency.Replay replay -> done(replayed(replay, limits));
                  case Idempotency.First first -> first(first.claim(), run);
                })
        .thenCompose(stage -> stage);
  }

  private static HttpResponse refused(Refusal refusal) {
    HttpResponse response = Replies.openAiError(refusal);
    if (refusal.httpStatus() != 409) {
      return response;
    }
    // SDKs try a 409 again by themselves.
    return refusal.retry()
        ? response
            .addHeader(RawHeader.create("Retry-After", "1"))
            .addHeader(RawHeader.create("retry-after-ms", Long.toString(refusal.resetMillis())))
        : response.addHeader(RawHeader.create("x-should-retry", "false"));
  }

  private static HttpResponse replayed(Idempotency.Replay replay, LimitsView limits) {
    ByteString body = ByteString.fromArray(replay.answer());
    HttpResponse response =
        replay.stream()
            ? ModelCalls.eventStream(Source.single(body))
            : Replies.json(body).withStatus(replay.httpStatus());
    return response
        .addHeaders(Replies.limitHeaders(limits))
        .addHeader(RawHeader.create(REPLAYED, "true"))
        .addHeader(RawHeader.create(ORIGINAL, replay.attempt()));
  }

  private CompletionStage<HttpResponse> first(
      Idempotency.Claim claim, Supplier<CompletionStage<Answer>> run) {
    CompletionStage<Answer> running;
    try {
      running = run.get();
    } catch (RuntimeException e) {
      running = CompletableFuture.failedFuture(e);
    }
    return running
        .handle(
            (answer, failure) ->
                answer == null
                    ? idempotency
                        .release(claim)
                        .<HttpResponse>thenCompose(_ -> CompletableFuture.failedFuture(failure))
                    : end(claim, answer))
        .thenCompose(stage -> stage);
  }

  private CompletionStage<HttpResponse> end(Idempotency.Claim claim, Answer answer) {
    return switch (answer) {
      case Answer.Refused no when LASTING.contains(no.refusal().httpStatus()) -> {
        HttpResponse response = ModelCalls.response(no);
        byte[] body = Json.bytes(Replies.openAiErrorBody(no.refusal())).toArray();
        yield idempotency
            .keep(claim, no.attempt(), no.refusal().httpStatus(), false, body)
            .thenApply(_ -> response);
      }
      case Answer.Refused no -> idempotency.release(claim).thenApply(_ -> ModelCalls.response(no));
      case Answer.Whole whole ->
          idempotency
              .keep(claim, whole.attempt(), 200, false, kept(whole.body()))
              .thenApply(
                  kept ->
                      switch (kept) {
                        case COMMITTED -> ModelCalls.response(whole);
                        case FAILED ->
                            ModelCalls.response(
                                new Answer.Refused(whole.attempt(), away(), whole.limits()));
                      });
      case Answer.Streamed streamed ->
          done(
              ModelCalls.withAttempt(
                  streamed, ModelCalls.eventStream(detached(recorded(claim, streamed)))));
    };
  }

  private byte @Nullable [] kept(ByteString answer) {
    return answer.size() > idempotency.settings().answerBytesMax() ? null : answer.toArray();
  }

  /** The stream's bytes; its last word waits until the whole of it is in its row. */
  private Source<ByteString, NotUsed> recorded(Idempotency.Claim claim, Answer.Streamed streamed) {
    Recorder recorder = new Recorder(idempotency.settings().answerBytesMax());
    return streamed
        .parts()
        .mapAsync(
            1,
            part -> {
              ByteString event = ModelCalls.event(part);
              return switch (part) {
                case Answer.Part.Chunks _ -> {
                  recorder.add(event);
                  yield CompletableFuture.completedFuture(event);
                }
                case Answer.Part.StillQueued _ -> CompletableFuture.completedFuture(event);
                case Answer.Part.Broken _ -> {
                  recorder.isOver = true;
                  yield idempotency.release(claim).thenApply(_ -> event);
                }
                case Answer.Part.Done _ -> {
                  recorder.add(event);
                  recorder.isOver = true;
                  yield idempotency
                      .keep(claim, streamed.attempt(), 200, true, recorder.all())
                      .thenApply(
                          kept ->
                              switch (kept) {
                                case COMMITTED -> event;
                                case FAILED -> ModelCalls.event(new Answer.Part.Broken(away()));
                              });
                }
              };
            })
        .watchTermination(
            (notUsed, ended) -> {
              ended.whenComplete(
                  (_, _) -> {
                    if (!recorder.isOver) {
                      // It broke off without a last word.
                      idempotency.release(claim);
                    }
                  });
              return notUsed;
            });
  }

  /**
   * The same stream, which goes on to its end when the client does not: at the client's pace while
   * it is there.
   */
  private Source<ByteString, NotUsed> detached(Source<ByteString, NotUsed> events) {
    return Source.fromGraph(
            GraphDSL.<SourceShape<ByteString>>create(
                builder -> {
                  UniformFanOutShape<ByteString, ByteString> both =
                      builder.add(Broadcast.<ByteString>create(2, false));
                  builder.from(builder.add(events)).viaFanOut(both);
                  builder.from(both.out(1)).to(builder.add(Sink.<ByteString>ignore()));
                  return SourceShape.of(both.out(0));
                }))
        .preMaterialize(system)
        .second();
  }

  /** What a stream has given so far, as long as it may be kept. */
  private static final class Recorder {
    private final long bytesMax;
    private ByteString all = ByteString.emptyByteString();
    private boolean isTooLong;

    /** Read by another thread after the stream's end. */
    private volatile boolean isOver;

    Recorder(long bytesMax) {
      this.bytesMax = bytesMax;
    }

    void add(ByteString event) {
      if (isTooLong || all.size() + event.size() > bytesMax) {
        isTooLong = true;
        all = ByteString.emptyByteString();
      } else {
        all = all.concat(event);
      }
    }

    byte @Nullable [] all() {
      return isTooLong ? null : all.toArray();
    }
  }

  private static Refusal away() {
    return Refusals.journalUnavailable(1_000);
  }

  private static CompletionStage<HttpResponse> done(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
