package dev.rowhouse.bench;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.japi.function.Function;

/**
 * The least that a proxy on Pekko HTTP can do: read the request, send it on, read the answer, send
 * it back. What a node costs above this is what tenants, limits, slots and durable usage cost. The
 * arguments are its port and the upstream's.
 */
public final class BareProxy {
  /** A body of a benchmark is far smaller and arrives at once. */
  private static final long STRICT_TIMEOUT_MILLIS = 5_000;

  private static final long BODY_MAX_BYTES = 1024 * 1024;

  private BareProxy() {}

  public static void main(String[] args) {
    int port = Integer.parseInt(args[0]);
    int upstreamPort = Integer.parseInt(args[1]);
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bare-proxy", config());
    Http http = Http.get(system);
    Function<HttpRequest, CompletionStage<HttpResponse>> proxy =
        request -> proxy(http, system, request, upstreamPort);
    http.newServerAt("127.0.0.1", port)
        .bind(proxy)
        .whenComplete(
            (binding, failure) -> {
              if (failure != null) {
                System.err.println("bare proxy: " + failure.getMessage());
                system.terminate();
              }
            });
  }

  private static CompletionStage<HttpResponse> proxy(
      Http http, ActorSystem<Void> system, HttpRequest request, int upstreamPort) {
    Uri target = request.getUri().scheme("http").host("127.0.0.1").port(upstreamPort);
    return request
        .entity()
        .toStrict(STRICT_TIMEOUT_MILLIS, BODY_MAX_BYTES, system)
        .thenCompose(
            body ->
                http.singleRequest(
                    HttpRequest.create(target.toString())
                        .withMethod(request.method())
                        .withEntity(body)))
        .thenCompose(answer -> answer.toStrict(STRICT_TIMEOUT_MILLIS, BODY_MAX_BYTES, system))
        .thenApply(
            answer ->
                HttpResponse.create().withStatus(answer.status()).withEntity(answer.entity()));
  }

  private static Config config() {
    return ConfigFactory.parseString(
            """
            pekko {
              loglevel = WARNING
              log-dead-letters = off
              http {
                server.max-connections = 1024
                host-connection-pool { max-connections = 64, max-open-requests = 1024 }
              }
            }
            """)
        .withFallback(ConfigFactory.defaultReference())
        .resolve();
  }
}
