package dev.rowhouse.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An OpenAI-compatible model server that says "word word word" and does what the test tells it: how
 * long a token takes, whether usage is counted, and how it fails. The behaviour goes by the model's
 * name in the request. A prompt with a canary ({@code canary-...}) gets it back as the first word.
 * It listens to its clients while it answers, so it knows at once when one has left.
 */
public final class FakeUpstream implements AutoCloseable {
  /** The tokens of every prompt, as this server counts them. */
  public static final int PROMPT_TOKENS = 11;

  /** When a stream's usage is told. */
  public enum UsagePolicy {
    ALWAYS,
    WHEN_ASKED,
    NEVER
  }

  /**
   * What the server does with a request.
   *
   * @param tokens completion tokens of the answer
   * @param tokenMillis time that each takes
   * @param status other than 200: answer this, with an error body
   * @param cutAfter a stream is cut after so many tokens; -1: it is not
   * @param silent never answer, until the server stops
   * @param retryAfterSeconds an error says when to come back; 0: it does not
   */
  public record Behaviour(
      int tokens,
      long tokenMillis,
      UsagePolicy usage,
      int status,
      int cutAfter,
      boolean silent,
      int retryAfterSeconds) {
    public static Behaviour of(int tokens, long tokenMillis) {
      return new Behaviour(tokens, tokenMillis, UsagePolicy.WHEN_ASKED, 200, -1, false, 0);
    }

    public Behaviour usage(UsagePolicy policy) {
      return new Behaviour(
          tokens, tokenMillis, policy, status, cutAfter, silent, retryAfterSeconds);
    }

    public Behaviour failingWith(int errorStatus) {
      return new Behaviour(
          tokens, tokenMillis, usage, errorStatus, cutAfter, silent, retryAfterSeconds);
    }

    public Behaviour cutAfter(int cutTokens) {
      return new Behaviour(
          tokens, tokenMillis, usage, status, cutTokens, silent, retryAfterSeconds);
    }

    public Behaviour askingBackAfter(int seconds) {
      return new Behaviour(tokens, tokenMillis, usage, status, cutAfter, silent, seconds);
    }

    public Behaviour keepingSilent() {
      return new Behaviour(tokens, tokenMillis, usage, status, cutAfter, true, retryAfterSeconds);
    }
  }

  private final ServerSocket server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final Map<String, Behaviour> behaviours = new ConcurrentHashMap<>();
  private final Set<String> held = ConcurrentHashMap.newKeySet();
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger runningMost = new AtomicInteger();
  private final AtomicInteger cancelled = new AtomicInteger();
  private final Map<InetAddress, AtomicInteger> runningOf = new ConcurrentHashMap<>();
  private final Map<InetAddress, AtomicInteger> mostOf = new ConcurrentHashMap<>();

  private FakeUpstream(ServerSocket server) {
    this.server = server;
  }

  /** Starts on a free port of the loopback address. */
  public static FakeUpstream start() {
    return start(InetAddress.getLoopbackAddress());
  }

  /** Starts on a free port of that address. */
  public static FakeUpstream start(InetAddress address) {
    try {
      FakeUpstream upstream = new FakeUpstream(new ServerSocket(0, 1024, address));
      upstream.threads.execute(upstream::accept);
      return upstream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public FakeUpstream on(String model, Behaviour behaviour) {
    behaviours.put(model, behaviour);
    return this;
  }

  /** From now on the answers of that model come to no end until it is let go. */
  public FakeUpstream hold(String model) {
    held.add(model);
    return this;
  }

  public void letGo(String model) {
    held.remove(model);
  }

  /** The {@code base_url} for a model of this server. */
  public URI baseUrl() {
    return URI.create(
        "http://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort() + "/v1");
  }

  /** Requests received so far. */
  public int calls() {
    return calls.get();
  }

  /** Requests being answered now. */
  public int running() {
    return running.get();
  }

  /** The most requests that were being answered at once. */
  public int runningMost() {
    return runningMost.get();
  }

  /** The most requests of one client's address that were being answered at once. */
  public int runningMostOf(String address) {
    for (Map.Entry<InetAddress, AtomicInteger> most : mostOf.entrySet()) {
      if (most.getKey().getHostAddress().equals(address)) {
        return most.getValue().get();
      }
    }
    return 0;
  }

  /** Requests whose client left before the end of the answer. */
  public int cancelled() {
    return cancelled.get();
  }

  @Override
  public void close() {
    try {
      server.close();
      for (Socket connection : connections) {
        connection.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.shutdownNow();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        connections.add(socket);
        threads.execute(() -> serve(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      UpstreamConnection connection = new UpstreamConnection(socket);
      while (connection.readRequest()) {
        answer(connection);
      }
    } catch (IOException lost) {
      // Clients may go whenever they like; those that leave during an answer are counted there.
    } finally {
      connections.remove(socket);
    }
  }

  private void answer(UpstreamConnection connection) throws IOException {
    calls.incrementAndGet();
    runningMost.accumulateAndGet(running.incrementAndGet(), Math::max);
    AtomicInteger runningThere =
        runningOf.computeIfAbsent(connection.address(), _ -> new AtomicInteger());
    mostOf
        .computeIfAbsent(connection.address(), _ -> new AtomicInteger())
        .accumulateAndGet(runningThere.incrementAndGet(), Math::max);
    try {
      String model = connection.model();
      connection.answer(
          behaviours.getOrDefault(model, Behaviour.of(5, 0)), () -> held.contains(model));
    } catch (UpstreamConnection.ClientLeft left) {
      cancelled.incrementAndGet();
      throw left;
    } finally {
      running.decrementAndGet();
      runningThere.decrementAndGet();
    }
  }
}
