package dev.rowhouse.inference;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * One connection to an upstream, with one request on it at a time.
 *
 * <p>Pekko's own pool cannot take a request back before its response has begun, so a client that
 * leaves would keep the upstream computing. Here the request owns its connection, and to abort is
 * to close it.
 */
final class UpstreamConnection {
  /** A failed stage would log the first bytes of what the upstream sent; that is a tenant's. */
  private static final Attributes QUIET =
      Attributes.createLogLevels(
          Attributes.logLevelOff(), Attributes.logLevelOff(), Attributes.logLevelOff());

  private final SharedKillSwitch kill = KillSwitches.shared("upstream");
  private final BoundedSourceQueue<HttpRequest> requests;
  private final AtomicReference<@Nullable CompletableFuture<HttpResponse>> waiting =
      new AtomicReference<>();
  private volatile @Nullable Throwable closed;

  UpstreamConnection(Flow<HttpRequest, HttpResponse, ?> http, Materializer materializer) {
    Pair<BoundedSourceQueue<HttpRequest>, CompletionStage<org.apache.pekko.Done>> running =
        Source.<HttpRequest>queue(1)
            .via(kill.flow())
            .via(http.addAttributes(QUIET))
            .via(kill.flow())
            .toMat(Sink.foreach(this::arrived), Keep.both())
            .run(materializer);
    requests = running.first();
    var _ = running.second().whenComplete((_, error) -> ended(error));
  }

  /** Sends a request; only when the response before it was read to its end. */
  CompletionStage<HttpResponse> send(HttpRequest request) {
    CompletableFuture<HttpResponse> response = new CompletableFuture<>();
    waiting.set(response);
    Throwable gone = closed;
    if (gone != null) {
      response.completeExceptionally(gone);
    } else if (!requests.offer(request).isEnqueued()) {
      response.completeExceptionally(new ConnectionClosed());
    }
    return response;
  }

  boolean isOpen() {
    return closed == null;
  }

  /** Closes the connection, whatever is on it. */
  void abort() {
    kill.abort(new ConnectionClosed());
  }

  private void arrived(HttpResponse response) {
    CompletableFuture<HttpResponse> asked = waiting.getAndSet(null);
    if (asked == null) {
      abort(); // an answer that nobody asked for
    } else {
      asked.complete(response);
    }
  }

  private void ended(@Nullable Throwable error) {
    Throwable cause = error == null ? new ConnectionClosed() : error;
    closed = cause;
    CompletableFuture<HttpResponse> asked = waiting.getAndSet(null);
    if (asked != null) {
      asked.completeExceptionally(cause);
    }
  }

  /** The connection went away before the answer. */
  static final class ConnectionClosed extends Exception {
    ConnectionClosed() {
      super("the connection was closed", null, false, false);
    }
  }
}
