package dev.rowhouse.inference;

import java.net.URI;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.OutgoingConnectionBuilder;
import org.apache.pekko.http.javadsl.settings.ClientConnectionSettings;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import scala.concurrent.duration.FiniteDuration;

/**
 * The connections of this node to its upstreams. The one used last is used next, so that the rest
 * can age; there is no queue here, because waiting is the business of slots.
 */
final class UpstreamConnections {
  /** The last resort against a connection that nobody watches any more. */
  private static final FiniteDuration FORGOTTEN = FiniteDuration.apply(30, TimeUnit.MINUTES);

  private final Http http;
  private final Materializer materializer;
  private final ClientConnectionSettings connectionSettings;
  private final InferenceSettings.OpenAi settings;
  private final InstantSource clock;
  private final Map<Address, Pool> pools = new ConcurrentHashMap<>();

  /** Where an upstream listens. */
  record Address(boolean tls, String host, int port) {
    static Address of(URI uri) {
      boolean tls = "https".equalsIgnoreCase(uri.getScheme());
      String host = uri.getHost();
      if (host == null || (!tls && !"http".equalsIgnoreCase(uri.getScheme()))) {
        throw new IllegalArgumentException("not an http or https address");
      }
      if (host.startsWith("[")) {
        host = host.substring(1, host.length() - 1); // IPv6
      }
      return new Address(tls, host, uri.getPort() > 0 ? uri.getPort() : tls ? 443 : 80);
    }
  }

  private record Idle(UpstreamConnection connection, long sinceMillis) {}

  private static final class Pool {
    final Deque<Idle> idle = new ArrayDeque<>();
    int inUse;
  }

  UpstreamConnections(
      ActorSystem<?> system, InferenceSettings.OpenAi settings, InstantSource clock) {
    this.http = Http.get(system);
    this.materializer = Materializer.matFromSystem(system);
    this.settings = settings;
    this.clock = clock;
    this.connectionSettings =
        ClientConnectionSettings.create(system.settings().config())
            .withConnectingTimeout(
                FiniteDuration.apply(settings.connectTimeout().toMillis(), TimeUnit.MILLISECONDS))
            .withIdleTimeout(FORGOTTEN);
  }

  /** A connection that is ours until {@link Lease#giveBack} or {@link Lease#abort}. */
  final class Lease {
    private final Pool pool;
    private final UpstreamConnection connection;
    private final boolean reused;
    private boolean over;

    private Lease(Pool pool, UpstreamConnection connection, boolean reused) {
      this.pool = pool;
      this.connection = connection;
      this.reused = reused;
    }

    UpstreamConnection connection() {
      return connection;
    }

    /** Whether it served a request before, so that its other end may be about to close it. */
    boolean reused() {
      return reused;
    }

    /** The response was read to its end: the next request may have the connection. */
    void giveBack() {
      end(true);
    }

    /** Closes the connection; nothing happens when it was given back and may be another's. */
    void abort() {
      end(false);
    }

    private void end(boolean keep) {
      UpstreamConnection surplus = keep ? null : connection;
      synchronized (pool) {
        if (over) {
          return;
        }
        over = true;
        pool.inUse--;
        if (keep && connection.isOpen()) {
          pool.idle.push(new Idle(connection, clock.millis()));
          if (pool.idle.size() > settings.connectionsIdleMax()) {
            surplus = pool.idle.removeLast().connection();
          }
        }
      }
      if (surplus != null) {
        surplus.abort();
      }
    }
  }

  /** A connection, kept or new; absent when the upstream has as many as are allowed. */
  @Nullable Lease lease(Address address, boolean fresh) {
    Pool pool = pools.computeIfAbsent(address, _ -> new Pool());
    synchronized (pool) {
      long keptSince = clock.millis() - settings.connectionIdle().toMillis();
      while (!pool.idle.isEmpty() && pool.idle.getLast().sinceMillis() < keptSince) {
        pool.idle.removeLast().connection().abort();
      }
      if (pool.inUse >= settings.connectionsMax()) {
        return null;
      }
      while (!fresh && !pool.idle.isEmpty()) {
        Idle idle = pool.idle.pop();
        if (idle.connection().isOpen()) {
          pool.inUse++;
          return new Lease(pool, idle.connection(), true);
        }
      }
      pool.inUse++;
    }
    OutgoingConnectionBuilder builder =
        http.connectionTo(address.host())
            .toPort(address.port())
            .withClientConnectionSettings(connectionSettings);
    return new Lease(
        pool,
        new UpstreamConnection(address.tls() ? builder.https() : builder.http(), materializer),
        false);
  }
}
