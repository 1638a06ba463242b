package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.inference.UpstreamConnections.Lease;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpMessage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Authorization;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * One request at an OpenAI-compatible upstream. States: asked (no response yet), streaming, over.
 *
 * <p>The reader pulls, so only {@link #cancel} may come from another thread at any moment; it finds
 * the connection through {@link #lease}, and a connection that is made after it is closed at once.
 */
final class OpenAiCall implements EngineCall {
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  /** Of an error's body only the message matters. */
  private static final int ERROR_BYTES_MAX = 65_536;

  private static final long ERROR_BODY_MILLIS = 5_000;

  /** An upstream that keeps its response open after [DONE] loses the connection. */
  private static final long DRAIN_MILLIS = 1_000;

  private final OpenAiEngine engine;
  private final EngineRequest request;
  private final SseParser events;
  private @Nullable SinkQueueWithCancel<ByteString> stream;
  private UpstreamFailures.Scrub scrub;
  private boolean finished;
  private boolean reusable;
  private long bytesRead;
  private final Object lock = new Object();
  private @Nullable Lease lease;
  private boolean cancelled;

  OpenAiCall(OpenAiEngine engine, EngineRequest request) {
    this.engine = engine;
    this.request = request;
    this.events = new SseParser(engine.settings().eventBytesMax());
    this.scrub = new UpstreamFailures.Scrub(request.model(), "");
  }

  @Override
  public CompletionStage<List<EngineEvent>> next() {
    CompletionStage<List<EngineEvent>> result =
        stream == null ? ask() : stream.pull().thenApply(this::read);
    return result.exceptionally(error -> failed(UpstreamFailures.ofError(error)));
  }

  @Override
  public long patienceMillis() {
    return stream == null
        ? engine.settings().responseTimeout().toMillis()
        : engine.settings().streamIdleTimeout().toMillis();
  }

  @Override
  public void cancel() {
    Lease held;
    synchronized (lock) {
      cancelled = true;
      held = lease;
    }
    if (held != null) {
      held.abort();
    }
  }

  private List<EngineEvent> failed(Failure failure) {
    cancel();
    return EngineEvent.failed(failure);
  }

  private CompletionStage<List<EngineEvent>> ask() {
    String reference = request.model().apiKeyRef();
    if (reference == null || reference.isEmpty()) {
      return ask("");
    }
    return engine
        .keys()
        .key(reference)
        .thenCompose(
            key ->
                key.isEmpty()
                    ? CompletableFuture.completedFuture(
                        failed(Failure.upstream("there is no key for the upstream of this model")))
                    : ask(key));
  }

  private CompletionStage<List<EngineEvent>> ask(String key) {
    scrub = new UpstreamFailures.Scrub(request.model(), key);
    String baseUrl = request.model().baseUrl();
    OpenAiEngine.Endpoint endpoint;
    HttpRequest http;
    try {
      endpoint = OpenAiEngine.Endpoint.of(baseUrl == null ? "" : baseUrl);
      http = request(key, endpoint);
    } catch (IllegalArgumentException e) {
      return CompletableFuture.completedFuture(
          failed(Failure.upstream("the upstream of this model has no valid address")));
    } catch (BadBody e) {
      return CompletableFuture.completedFuture(failed(e.failure()));
    }
    return send(endpoint, http, false);
  }

  private HttpRequest request(String key, OpenAiEngine.Endpoint endpoint) throws BadBody {
    String alias = request.model().upstreamModel();
    ByteString body =
        request
            .body()
            .forUpstream(
                alias == null || alias.isEmpty() ? request.model().name() : alias,
                request.stream(),
                request.systemText());
    HttpRequest http =
        HttpRequest.POST(endpoint.path())
            .withEntity(ContentTypes.APPLICATION_JSON, body)
            .addHeader(RawHeader.create("x-request-id", request.attempt()));
    return key.isEmpty() ? http : http.addHeader(Authorization.oauth2(key));
  }

  /**
   * Sends it once; a second time only when a kept connection was closed before a byte of an answer.
   * Then the upstream had most likely closed it as idle while the request was under way.
   */
  private CompletionStage<List<EngineEvent>> send(
      OpenAiEngine.Endpoint endpoint, HttpRequest http, boolean fresh) {
    Lease leased;
    synchronized (lock) {
      if (cancelled) {
        return CompletableFuture.completedFuture(
            EngineEvent.failed(Failure.upstream("the call was cancelled")));
      }
      leased = engine.connections().lease(endpoint.address(), fresh);
      lease = leased;
    }
    if (leased == null) {
      return CompletableFuture.completedFuture(
          EngineEvent.failed(Failure.capacity("too many connections to this model's upstream")));
    }
    return leased
        .connection()
        .send(http)
        .handle(
            (response, error) -> {
              if (error == null) {
                return receive(response, leased);
              }
              leased.abort();
              return leased.reused() && !fresh
                  ? send(endpoint, http, true)
                  : CompletableFuture.completedFuture(failed(UpstreamFailures.ofError(error)));
            })
        .thenCompose(stage -> stage);
  }

  private CompletionStage<List<EngineEvent>> receive(HttpResponse response, Lease leased) {
    int status = response.status().intValue();
    if (status < 200 || status > 299) {
      return receiveError(status, response, leased);
    }
    if (isEncoded(response)) {
      return CompletableFuture.completedFuture(
          failed(Failure.upstream("the upstream compresses its answer unasked")));
    }
    if (!request.stream()) {
      return strict(
              response,
              engine.settings().responseTimeout().toMillis(),
              engine.settings().responseBytesMax())
          .thenApply(
              entity -> {
                release(response, leased);
                return whole(entity.getData());
              });
    }
    String type = response.entity().getContentType().mediaType().toString();
    if (!type.equals("text/event-stream")) {
      return CompletableFuture.completedFuture(
          failed(Failure.upstream("the upstream did not answer with a stream")));
    }
    stream =
        response
            .entity()
            .getDataBytes()
            .runWith(
                Sink.<ByteString>queue(1).withAttributes(Attributes.inputBuffer(1, 1)),
                engine.materializer());
    reusable = isReusable(response);
    return stream.pull().thenApply(this::read);
  }

  private CompletionStage<List<EngineEvent>> receiveError(
      int status, HttpResponse response, Lease leased) {
    long retryAfterMillis =
        RetryAfter.millis(
            header(response, "retry-after"),
            header(response, "retry-after-ms"),
            engine.clock().instant());
    return strict(response, ERROR_BODY_MILLIS, ERROR_BYTES_MAX)
        .handle(
            (entity, error) -> {
              String message = null;
              if (error == null) {
                release(response, leased);
                message = OpenAiAnswer.errorMessage(entity.getData().toArray());
              }
              return failed(UpstreamFailures.ofStatus(status, message, retryAfterMillis, scrub));
            });
  }

  private CompletionStage<HttpEntity.Strict> strict(
      HttpResponse response, long timeoutMillis, int bytesMax) {
    if (response.entity() instanceof HttpEntity.Strict strict) {
      return strict.getData().size() <= bytesMax
          ? CompletableFuture.completedFuture(strict)
          : CompletableFuture.failedFuture(new SseParser.TooLong());
    }
    return response.entity().toStrict(timeoutMillis, bytesMax, engine.materializer());
  }

  private static @Nullable String header(HttpMessage message, String name) {
    return message.getHeader(name).map(h -> h.value()).orElse(null);
  }

  private static boolean isEncoded(HttpResponse response) {
    String encoding = header(response, "content-encoding");
    return encoding != null && !encoding.equalsIgnoreCase("identity");
  }

  private static boolean isReusable(HttpResponse response) {
    String connection = header(response, "connection");
    return connection == null || !connection.toLowerCase(Locale.ROOT).contains("close");
  }

  private static void release(HttpResponse response, Lease leased) {
    if (isReusable(response)) {
      leased.giveBack();
    } else {
      leased.abort();
    }
  }

  private List<EngineEvent> whole(ByteString body) {
    try {
      List<EngineEvent> read = new ArrayList<>(OpenAiAnswer.whole(body.toArrayUnsafe()));
      if (read.getLast() instanceof EngineEvent.Failed failed) {
        return EngineEvent.failed(scrub.of(failed.failure()));
      }
      read.add(new EngineEvent.Done(request.passages()));
      return read;
    } catch (IOException e) {
      return EngineEvent.failed(Failure.upstream("the upstream's answer is not valid JSON"));
    }
  }

  private List<EngineEvent> read(Optional<ByteString> bytes) {
    if (bytes.isEmpty()) {
      if (finished) {
        giveBack(); // some upstreams end without [DONE]
        return List.of(new EngineEvent.Done(request.passages()));
      }
      return failed(
          Failure.upstream("the upstream ended its stream before the end")
              .saying(CallOutcome.FAULT));
    }
    bytesRead += bytes.get().size();
    if (bytesRead > engine.settings().responseBytesMax()) {
      return failed(Failure.upstream("the upstream's answer is too long"));
    }
    List<EngineEvent> read = new ArrayList<>(4);
    try {
      for (byte[] data : events.feed(bytes.get())) {
        if (Arrays.equals(data, DONE)) {
          read.add(new EngineEvent.Done(request.passages()));
          drain();
          return read;
        }
        for (EngineEvent event : OpenAiAnswer.chunk(data)) {
          if (event instanceof EngineEvent.Failed failed) {
            cancel();
            read.add(new EngineEvent.Failed(scrub.of(failed.failure())));
            return read;
          }
          finished |= event instanceof EngineEvent.Chunk chunk && chunk.finish();
          read.add(event);
        }
      }
    } catch (IOException e) {
      read.addAll(failed(Failure.upstream("the upstream's stream is not valid JSON")));
    } catch (SseParser.TooLong e) {
      read.addAll(failed(Failure.upstream("an event of the upstream is too long")));
    }
    return read;
  }

  /** The end of the response usually comes with [DONE]; then the connection can be kept. */
  private void drain() {
    SinkQueueWithCancel<ByteString> rest = stream;
    if (rest == null) {
      return;
    }
    var _ =
        rest.pull()
            .toCompletableFuture()
            .orTimeout(DRAIN_MILLIS, TimeUnit.MILLISECONDS)
            .whenComplete(
                (more, error) -> {
                  if (error == null && more.isEmpty()) {
                    giveBack();
                  } else {
                    cancel();
                  }
                });
  }

  private void giveBack() {
    Lease held;
    synchronized (lock) {
      held = lease;
    }
    if (held != null && reusable) {
      held.giveBack();
    } else if (held != null) {
      held.abort();
    }
  }
}
