package dev.rowhouse.bench.arena;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The policies of the paper as its artifact runs them, by what they do differently: whether who
 * starts to wait is lifted to the least counter among those that wait, and whether the whole output
 * is charged when a request enters, which takes an oracle.
 */
public final class TokenCounters implements Admission {

  private static final class Client {
    final Deque<Run> waiting = new ArrayDeque<>();
    double counter;
  }

  private final boolean lift;
  private final boolean oracle;
  private final Map<String, Client> clients = new LinkedHashMap<>();

  private TokenCounters(boolean lift, boolean oracle) {
    this.lift = lift;
    this.oracle = oracle;
  }

  public static TokenCounters leastCounterFirst() {
    return new TokenCounters(false, false);
  }

  public static TokenCounters vtc() {
    return new TokenCounters(true, false);
  }

  public static TokenCounters vtcOracle() {
    return new TokenCounters(true, true);
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    Client client = clients.computeIfAbsent(run.client(), _ -> new Client());
    if (lift && client.waiting.isEmpty()) {
      Client least = least();
      client.counter = Math.max(client.counter, least == null ? 0 : least.counter);
    }
    client.waiting.addLast(run);
    return true;
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    Client least = least();
    return least == null ? null : least.waiting.peekFirst();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    Client client = clients.computeIfAbsent(run.client(), _ -> new Client());
    client.waiting.removeFirst();
    TraceRequest request = run.request();
    client.counter += Cost.of(request.inputTokens(), oracle ? request.outputTokens() : 0);
  }

  @Override
  public void counted(List<Run> batch) {
    if (!oracle) {
      batch.forEach(
          run ->
              clients.computeIfAbsent(run.client(), _ -> new Client()).counter +=
                  Cost.OUTPUT_WEIGHT);
    }
  }

  private @Nullable Client least() {
    Client least = null;
    for (Client client : clients.values()) {
      if (!client.waiting.isEmpty() && (least == null || client.counter < least.counter)) {
        least = client;
      }
    }
    return least;
  }
}
