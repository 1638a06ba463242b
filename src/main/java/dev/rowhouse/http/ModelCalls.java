package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.serving.Answer;
import dev.rowhouse.serving.Answering;
import dev.rowhouse.serving.Ask;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Throttle;
import dev.rowhouse.tenant.CatalogReplica;
import dev.rowhouse.tenant.Checked;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * What the routes share that ask something of a model: reads the body, opens an Answering, writes
 * what it says. A tenant that is beyond its limits is refused here, before anything is opened.
 */
final class ModelCalls {
  /**
   * What a call says beside its body.
   *
   * @param label the client's own request id
   * @param patience how long the client will wait
   */
  record Origin(
      String attempt,
      Ask.Credential key,
      @Nullable String label,
      long receivedAtMillis,
      Patience patience,
      int bodyBytes) {

    long deadlineMillis(@Nullable Long fieldMillis, boolean stream) {
      return patience.deadlineMillis(receivedAtMillis, fieldMillis, stream);
    }
  }

  /** Reads what a body asks for. */
  @FunctionalInterface
  interface AskReader {
    Checked<Ask> read(JsonNode root, Origin origin);
  }

  private static final ContentType EVENT_STREAM =
      ContentTypes.parse("text/event-stream; charset=UTF-8");
  private static final ByteString DATA = ByteString.fromString("data: ");
  private static final ByteString END = ByteString.fromString("\n\n");
  private static final ByteString DONE = ByteString.fromString("data: [DONE]\n\n");
  private static final ByteString QUEUED = ByteString.fromString(": queued\n\n");

  /** A client's own id is kept as a label, cut to this. */
  private static final int LABEL_LENGTH_MAX = 128;

  private final ActorSystem<?> system;
  private final Answering.Settings settings;
  private final Throttle throttle;
  private final CatalogReplica catalog;
  private final long bodyBytesMax;
  private final Duration requestTimeout;
  private final IdempotentCalls idempotent;

  ModelCalls(
      ActorSystem<?> system,
      Answering.Settings settings,
      Throttle throttle,
      CatalogReplica catalog,
      long bodyBytesMax,
      Duration requestTimeout,
      IdempotentCalls idempotent) {
    this.system = system;
    this.settings = settings;
    this.throttle = throttle;
    this.catalog = catalog;
    this.bodyBytesMax = bodyBytesMax;
    this.requestTimeout = requestTimeout;
    this.idempotent = idempotent;
  }

  CompletionStage<HttpResponse> answer(
      Call call, TenantId tenant, Ask.Credential key, AskReader reader) {
    return call.withBody(
        bodyBytesMax, Replies::openAiError, bytes -> answer(call, tenant, key, reader, bytes));
  }

  private CompletionStage<HttpResponse> answer(
      Call call, TenantId tenant, Ask.Credential key, AskReader reader, ByteString bytes) {
    JsonNode root;
    switch (Json.parseObject(bytes)) {
      case Json.Parsed.Broken broken -> {
        return CompletableFuture.completedFuture(Replies.openAiError(broken.refusal()));
      }
      case Json.Parsed.Document document -> root = document.root();
    }
    String sdkTimeout = call.header(Patience.SDK_HEADER);
    Long sdkMillis = sdkTimeout == null ? null : Patience.sdkMillis(sdkTimeout);
    if (sdkTimeout != null && sdkMillis == null) {
      return CompletableFuture.completedFuture(
          Replies.openAiError(
              Replies.badRequest(
                  Patience.SDK_HEADER,
                  "The header " + Patience.SDK_HEADER + " must be a number of seconds.")));
    }
    Patience patience = new Patience(requestTimeout.toMillis(), sdkMillis);
    List<String> idempotencyKeys = IdempotentCalls.keys(call);
    Refusal fault = idempotencyKeys.isEmpty() ? null : IdempotentCalls.fault(idempotencyKeys);
    if (fault != null) {
      return CompletableFuture.completedFuture(Replies.openAiError(fault));
    }
    return switch (reader.read(root, origin(call, key, patience, bytes.size()))) {
      case Checked.Bad<Ask> bad ->
          CompletableFuture.completedFuture(Replies.openAiError(Replies.badRequest(bad.errors())));
      case Checked.Good<Ask>(Ask ask) when !idempotencyKeys.isEmpty() ->
          idempotent.answer(
              call,
              tenant,
              ask,
              bytes,
              idempotencyKeys.getFirst(),
              () -> run(tenant, ask, bytes, null));
      case Checked.Good<Ask>(Ask ask) ->
          run(tenant, ask, bytes, call.connection()).thenApply(ModelCalls::response);
    };
  }

  private static Origin origin(Call call, Ask.Credential key, Patience patience, int bodyBytes) {
    String label = call.header("X-Client-Request-Id");
    return new Origin(
        call.requestId(),
        key,
        label == null ? null : label.substring(0, Math.min(label.length(), LABEL_LENGTH_MAX)),
        call.receivedAtMillis(),
        patience,
        bodyBytes);
  }

  /**
   * Runs the request.
   *
   * @param connection ends the request when the client leaves; absent: it goes on
   */
  private CompletionStage<Answer> run(
      TenantId tenant, Ask ask, ByteString bytes, @Nullable Connection connection) {
    Answer.Refused refused =
        throttle.refuse(tenant, ask, catalog.current().version(), settings.clock().millis());
    if (refused != null) {
      return CompletableFuture.completedFuture(refused);
    }
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    ActorRef<Object> answering =
        system.systemActorOf(
            Answering.create(settings, tenant, ask, bytes, answer),
            ask.attempt(),
            DispatcherSelector.defaultDispatcher());
    if (connection == null) {
      return answer;
    }
    connection.onGone(() -> answering.tell(Answering.ClientGone.CLIENT_GONE));
    return answer.thenApply(
        given -> {
          connection.forget();
          return given;
        });
  }

  /** The attempt that answers is the request's id, also when it is the second one. */
  static HttpResponse response(Answer answer) {
    return body(answer).addHeader(RawHeader.create(Listener.REQUEST_ID, answer.attempt()));
  }

  /** A stream's response whose events were made elsewhere. */
  static HttpResponse withAttempt(Answer.Streamed streamed, HttpResponse response) {
    HttpResponse named =
        response.addHeader(RawHeader.create(Listener.REQUEST_ID, streamed.attempt()));
    return streamed.limits() == null
        ? named
        : named.addHeaders(Replies.limitHeaders(streamed.limits()));
  }

  static HttpResponse eventStream(Source<ByteString, NotUsed> events) {
    return HttpResponse.create()
        .addHeader(RawHeader.create("Cache-Control", "no-cache"))
        .withEntity(HttpEntities.createChunked(EVENT_STREAM, events));
  }

  private static HttpResponse body(Answer answer) {
    return switch (answer) {
      case Answer.Refused refused -> {
        HttpResponse response = Replies.openAiError(refused.refusal());
        yield refused.limits() == null
            ? response
            : response.addHeaders(Replies.limitHeaders(refused.limits()));
      }
      case Answer.Whole whole -> {
        HttpResponse response = Replies.json(whole.body());
        yield whole.limits() == null
            ? response
            : response.addHeaders(Replies.limitHeaders(whole.limits()));
      }
      case Answer.Streamed streamed -> {
        HttpResponse response = eventStream(streamed.parts().map(ModelCalls::event));
        yield streamed.limits() == null
            ? response
            : response.addHeaders(Replies.limitHeaders(streamed.limits()));
      }
    };
  }

  static ByteString event(Answer.Part part) {
    return switch (part) {
      case Answer.Part.Chunks chunks -> {
        ByteString events = ByteString.emptyByteString();
        for (ByteString json : chunks.json()) {
          events = events.concat(DATA).concat(json).concat(END);
        }
        yield events;
      }
      case Answer.Part.StillQueued _ -> QUEUED;
      case Answer.Part.Broken broken ->
          DATA.concat(Json.bytes(Replies.openAiErrorBody(broken.refusal()))).concat(END);
      case Answer.Part.Done _ -> DONE;
    };
  }
}
