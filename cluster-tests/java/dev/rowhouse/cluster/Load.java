package dev.rowhouse.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rowhouse.cluster.Attempt.Outcome;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.TenantClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Clients of several tenants, behind what a load balancer does: it asks every node every now and
 * then whether it is ready, gives each request to the next one that is, and tries another one when
 * a connection is not made. A request that failed is asked for again, as a new one, some times.
 *
 * <p>An open load's requests come at their rate, however long answers take; a closed load's clients
 * ask again when they are answered.
 */
final class Load implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern CANARY = Pattern.compile("canary-[a-z0-9-]+");
  private static final Pattern CODE = Pattern.compile("\"code\" *: *\"([a-z_]+)\"");
  private static final Duration CONNECT = Duration.ofSeconds(2);
  private static final Duration ANSWER = Duration.ofSeconds(60);
  private static final Duration LOOK = Duration.ofMillis(1_500);
  private static final long LOOK_EVERY_MILLIS = 250;
  private static final long RETRY_MILLIS = 500;
  private static final int TRIES_MAX = 4;

  private final RowhouseCluster cluster;
  private final String model;
  private final List<String> tenants;
  private final Map<String, String> keys;
  private final String padding;
  private final long startNanos = System.nanoTime();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
  private final ConcurrentLinkedQueue<Operation> operations = new ConcurrentLinkedQueue<>();
  private final AtomicInteger turn = new AtomicInteger();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private volatile List<Integer> ready;
  private volatile boolean stopped;

  private Load(RowhouseCluster cluster, String model, Map<String, String> keys, int promptChars) {
    this.cluster = cluster;
    this.model = model;
    this.keys = Map.copyOf(keys);
    this.tenants = List.copyOf(keys.keySet());
    this.padding = " -".repeat(promptChars / 2);
    this.ready = range(cluster.nodes().size());
  }

  private static List<Integer> range(int count) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(i);
    }
    return List.copyOf(all);
  }

  /**
   * Begins an open load.
   *
   * @param keys each tenant's key
   * @param promptChars so much longer is each prompt than it has to be
   */
  static Load open(
      RowhouseCluster cluster,
      String model,
      Map<String, String> keys,
      int requestsPerSecond,
      int promptChars) {
    Load load = new Load(cluster, model, keys, promptChars);
    load.threads.execute(load::look);
    load.threads.execute(() -> load.send(TimeUnit.SECONDS.toMicros(1) / requestsPerSecond));
    return load;
  }

  /**
   * Begins a closed load.
   *
   * @param keys each tenant's key
   * @param clients of each tenant
   */
  static Load closed(RowhouseCluster cluster, String model, Map<String, String> keys, int clients) {
    Load load = new Load(cluster, model, keys, 0);
    load.threads.execute(load::look);
    for (int client = 0; client < clients; client++) {
      boolean streams = client % 2 == 0;
      load.tenants.forEach(
          tenant ->
              load.threads.execute(
                  () -> {
                    while (!load.stopped) {
                      load.operate(tenant, streams);
                    }
                  }));
    }
    return load;
  }

  long nowMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
  }

  /** That moment of {@link System#nanoTime} on the clock of {@link #nowMillis}. */
  long millisAt(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos - startNanos);
  }

  /** All operations that are over. */
  List<Operation> operations() {
    return List.copyOf(operations);
  }

  List<Attempt> attempts() {
    List<Attempt> attempts = new ArrayList<>();
    operations.forEach(operation -> attempts.addAll(operation.attempts()));
    return attempts;
  }

  /** No more new ones; waits for those that are on their way. */
  void finish() {
    stopped = true;
    threads.close();
  }

  @Override
  public void close() {
    finish();
    http.close();
  }

  private void look() {
    while (!stopped) {
      List<Integer> now = new ArrayList<>();
      List<NodeProcess> nodes = cluster.nodes();
      for (int node = 0; node < nodes.size(); node++) {
        if (nodes.get(node).isAlive() && nodes.get(node).isReady(LOOK)) {
          now.add(node);
        }
      }
      ready = List.copyOf(now);
      pause(LOOK_EVERY_MILLIS);
    }
  }

  private void send(long everyMicros) {
    long next = System.nanoTime();
    for (int number = 0; !stopped; number++) {
      String tenant = tenants.get(number % tenants.size());
      boolean stream = number / tenants.size() % 2 == 0;
      threads.execute(() -> operate(tenant, stream));
      next += TimeUnit.MICROSECONDS.toNanos(everyMicros);
      pause(Math.max(0, TimeUnit.NANOSECONDS.toMillis(next - System.nanoTime())));
    }
  }

  private void operate(String tenant, boolean stream) {
    List<Attempt> attempts = new ArrayList<>();
    int tries = 0;
    while (tries < TRIES_MAX) {
      Attempt attempt = ask(tenant, stream, gateway());
      attempts.add(attempt);
      if (attempt.isAcknowledged()) {
        break;
      }
      // A connection that was not made costs the client nothing; the next node is tried at once.
      tries += attempt.outcome() == Outcome.NOT_CONNECTED && attempts.size() < 100 ? 0 : 1;
      pause(attempt.outcome() == Outcome.NOT_CONNECTED ? LOOK_EVERY_MILLIS : RETRY_MILLIS);
    }
    operations.add(new Operation(attempts));
  }

  private int gateway() {
    List<Integer> choice = ready;
    List<Integer> all = choice.isEmpty() ? range(cluster.nodes().size()) : choice;
    return all.get(Math.floorMod(turn.getAndIncrement(), all.size()));
  }

  private Attempt ask(String tenant, boolean stream, int gateway) {
    long began = nowMillis();
    // Without retrieval: a search is another tenant's actor's work, and costs this machine the
    // most.
    String body =
        TenantClient.chatBody(model, "Say canary-" + tenant + " and no other." + padding, stream)
            .replaceFirst("\\{", "{\"rowhouse\": {\"retrieval\": false}, ");
    URI uri = cluster.node(gateway).httpUri().resolve("/v1/chat/completions");
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(ANSWER)
            .header("authorization", "Bearer " + keys.get(tenant))
            .header("content-type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<java.io.InputStream> response = http.send(request, BodyHandlers.ofInputStream());
      String id = response.headers().firstValue("x-request-id").orElse("");
      StringBuilder text = new StringBuilder();
      boolean whole;
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
        boolean done = false;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          done |= line.equals("data: [DONE]");
          text.append(line).append('\n');
        }
        whole = !stream || done;
      } catch (IOException broken) {
        return attempt(tenant, id, gateway, began, Outcome.UNKNOWN, response.statusCode(), text);
      }
      Outcome outcome =
          response.statusCode() == 200 && whole && isWhole(text, stream)
              ? Outcome.ACKNOWLEDGED
              : Outcome.REFUSED;
      return attempt(tenant, id, gateway, began, outcome, response.statusCode(), text);
    } catch (HttpConnectTimeoutException | ConnectException refused) {
      return attempt(tenant, "", gateway, began, Outcome.NOT_CONNECTED, 0, "");
    } catch (IOException lost) {
      return attempt(tenant, "", gateway, began, Outcome.UNKNOWN, 0, "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return attempt(tenant, "", gateway, began, Outcome.UNKNOWN, 0, "");
    }
  }

  private static boolean isWhole(CharSequence text, boolean stream) throws IOException {
    return stream
        ? !text.toString().contains("data: {\"error\"")
        : JSON.readTree(text.toString()).has("choices");
  }

  private Attempt attempt(
      String tenant,
      String id,
      int gateway,
      long began,
      Outcome outcome,
      int status,
      CharSequence text) {
    return new Attempt(
        tenant,
        id,
        gateway,
        began,
        nowMillis(),
        outcome,
        status,
        code(text),
        foreign(tenant, text));
  }

  private static String code(CharSequence text) {
    Matcher code = CODE.matcher(text);
    return code.find() ? code.group(1) : "";
  }

  private static @Nullable String foreign(String tenant, CharSequence text) {
    Matcher canaries = CANARY.matcher(text);
    while (canaries.find()) {
      if (!canaries.group().equals("canary-" + tenant)) {
        return canaries.group();
      }
    }
    return null;
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
