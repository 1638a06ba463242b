package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import dev.rowhouse.cluster.H2Server;
import dev.rowhouse.node.Await;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToLongFunction;

/**
 * What nodes add: tokens per second of a cluster of one node for clients and tenants and of one,
 * two and three more that only run, each with so many slots on an upstream whose tokens take time.
 * More is asked for than there are slots, all the time. Nodes are added to the running cluster.
 *
 * <p>Beside it, for each number of workers: messages that the coordinator handled for a request,
 * events in the journal for a request, and the CPU of each part.
 *
 * <p>Arguments: seconds measured for each (60), slots of a worker (8), milliseconds of a token
 * (40), workers at most (3), tenants (20).
 */
public final class Scaling {
  private static final String HOST = "127.0.0.1";
  private static final String MODEL = "timed";
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** Until the new node's slots are in use and its compilers have seen a request. */
  private static final Duration LEAD = Duration.ofSeconds(20);

  private static final int PROMPT_TOKENS = 10;
  private static final int ANSWER_TOKENS_MIN = 25;
  private static final int ANSWER_TOKENS_MAX = 75;
  private static final int INPUT_MICROS = 100;

  /** Limits that are not what is measured. */
  private static final int WIDE = 1_000_000;

  private final Path directory = Reports.scratch();
  private final H2Server journal = new H2Server(directory.resolve("journal"), HOST);
  private final List<NodeProcess> nodes = new ArrayList<>();
  private final String seed;
  private final Child upstream;
  private final int upstreamPort = Child.freePort();
  private final int slots;

  private Scaling(int slots, int tokenMillis) throws IOException, InterruptedException {
    this.slots = slots;
    journal.start();
    upstream =
        Child.start(
            directory.resolve("upstream.log"),
            NodeProcess.distribution().resolve("conf/jvm.options"),
            TimedUpstream.class,
            upstreamPort,
            List.of(Integer.toString(INPUT_MICROS), Integer.toString(1_000 * tokenMillis)));
    int artery = NodeProcess.freePorts(1).getFirst();
    seed = HOST + ":" + artery;
    add("gateway,tenant", artery);
  }

  public static void main(String[] args) throws IOException, InterruptedException, SQLException {
    Duration measured = Duration.ofSeconds(Reports.argument(args, 0, 60));
    int slots = Reports.argument(args, 1, 8);
    int tokenMillis = Reports.argument(args, 2, 40);
    int workersMax = Reports.argument(args, 3, 3);
    int tenants = Reports.argument(args, 4, 20);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report
        .put("seconds", measured.toSeconds())
        .put("slots_of_a_worker", slots)
        .put("token_millis", tokenMillis)
        .put("tenants", tenants);
    new Scaling(slots, tokenMillis).run(measured, workersMax, tenants, report.putArray("workers"));
    ArrayNode rows = (ArrayNode) report.get("workers");
    for (int i = 1; i < rows.size(); i++) {
      double before = rows.get(i - 1).path("tokens_per_second").asDouble() / i;
      double after = rows.get(i).path("tokens_per_second").asDouble() / (i + 1);
      ((ObjectNode) rows.get(i)).put("ratio", after / before);
      System.out.printf(
          "%d workers: a worker's tokens are %.3f of before%n", i + 1, after / before);
    }
    Reports.write("scaling", report);
    // The HTTP client's threads would keep this process for a while.
    System.exit(0);
  }

  private void run(Duration measured, int workersMax, int tenants, ArrayNode rows)
      throws InterruptedException, SQLException {
    NodeProcess front = nodes.getFirst();
    front
        .operator()
        .put(
            "/admin/plans/patient",
            """
            {"queue_timeout_ms": 600000, "limits": {"requests_per_minute": %1$d,
             "tokens_per_minute": %1$d, "concurrent_requests": %1$d, "queue_length": %1$d}}\
            """
                .formatted(WIDE))
        .expect(200);
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < tenants; i++) {
      keys.add(front.operator().onboard("tenant-" + i, "{\"plan\": \"patient\"}"));
    }
    for (int workers = 1; workers <= workersMax; workers++) {
      add("worker", NodeProcess.freePorts(1).getFirst());
      if (workers == 1) {
        front.operator().addModel(MODEL, upstreamUri(), slots);
      }
      int wanted = workers * slots;
      Await.until("the slots of " + workers, PATIENCE, () -> slotsNow() == wanted);
      rows.add(measure(measured, workers, keys));
    }
  }

  private void add(String roles, int artery) {
    NodeProcess node =
        NodeProcess.in(directory.resolve("node-" + nodes.size()))
            .with("ROWHOUSE_ARTERY_PORT", Integer.toString(artery))
            .with("ROWHOUSE_ROLES", roles)
            .with("ROWHOUSE_SEED_NODES", seed)
            .with("ROWHOUSE_OPERATOR_TOKEN", "operator-token-of-the-scaling-benchmark-0123456789")
            .with("ROWHOUSE_CLUSTER_SECRET", "cluster-secret-of-the-benchmark-0123456789")
            .with("ROWHOUSE_MASTER_KEY", "master-key-of-the-benchmark-0123456789abcdef")
            .with("ROWHOUSE_JVM_OPTS", "-Xms64m -Xmx512m " + journal.jvmOptions());
    nodes.add(node);
    node.start().awaitReady();
  }

  private URI upstreamUri() {
    return URI.create("http://" + HOST + ":" + upstreamPort + "/v1");
  }

  private JsonNode fairness() {
    return nodes.getFirst().operator().get("/admin/fairness?limit=1").expect(200).json();
  }

  private int slotsNow() {
    int now = 0;
    for (JsonNode pool : fairness().path("pools")) {
      now += pool.path("pool").asText().equals(MODEL) ? pool.path("slots").asInt() : 0;
    }
    return now;
  }

  private ObjectNode measure(Duration measured, int workers, List<String> keys)
      throws InterruptedException, SQLException {
    long from = System.nanoTime() + LEAD.toNanos();
    long until = from + measured.toNanos();
    List<Crowd> crowds =
        keys.stream().map(key -> new Crowd(key, nodes.getFirst().httpUri().getPort())).toList();
    // Twice the slots wait, all the time.
    int clients = Math.max(1, 3 * workers * slots / keys.size());
    crowds.forEach(crowd -> crowd.loop(clients, until, Scaling::work));
    Progress.sleepUntil(from);
    Count before = count();
    Progress.until(until, "  ", () -> ok(crowds, from, until).size() + " answers");
    Count spent = count().minus(before);
    List<Outcome> answers = ok(crowds, from, until);
    long failed =
        crowds.stream().mapToLong(crowd -> crowd.endedBetween(from, until).size()).sum()
            - answers.size();
    Crowd.awaitAnswers(crowds);
    crowds.forEach(Crowd::close);
    return row(measured, workers, answers, failed, spent);
  }

  private ObjectNode row(
      Duration measured, int workers, List<Outcome> answers, long failed, Count spent) {
    double seconds = measured.toMillis() / 1e3;
    double requests = Math.max(1, answers.size());
    double tokens = answers.stream().mapToLong(Outcome::outputTokens).sum() / seconds;
    double busy = 0;
    for (long nanos : spent.cpuNanos()) {
      busy += nanos / 1e9 / seconds;
    }
    long workersNanos = 0;
    for (int i = 1; i <= workers; i++) {
      workersNanos += spent.cpuNanos().get(i);
    }
    System.out.printf(
        "%d workers: %.1f tokens/s, %.2f requests/s, %d failed; a request: %.2f messages of the"
            + " coordinator, %.2f events; CPU %.2f ms at the front, %.2f ms at workers; %.2f"
            + " cores%n",
        workers,
        tokens,
        requests / seconds,
        failed,
        spent.messages() / requests,
        spent.events() / requests,
        spent.cpuNanos().getFirst() / 1e6 / requests,
        workersNanos / 1e6 / requests,
        busy);
    return JsonNodeFactory.instance
        .objectNode()
        .put("workers", workers)
        .put("slots", workers * slots)
        .put("tokens_per_second", tokens)
        .put("requests_per_second", requests / seconds)
        .put("failures", failed)
        .put("coordinator_messages_per_request", spent.messages() / requests)
        .put("coordinator_messages_per_second", spent.messages() / seconds)
        .put("journal_events_per_request", spent.events() / requests)
        .put("journal_bytes_per_request", spent.bytes() / requests)
        .put("front_cpu_ms_per_request", spent.cpuNanos().getFirst() / 1e6 / requests)
        .put("workers_cpu_ms_per_request", workersNanos / 1e6 / requests)
        .put("cores_used", busy);
  }

  private static Work work() {
    return new Work(
        MODEL,
        PROMPT_TOKENS,
        ThreadLocalRandom.current().nextInt(ANSWER_TOKENS_MIN, ANSWER_TOKENS_MAX + 1),
        true,
        false);
  }

  private static List<Outcome> ok(List<Crowd> crowds, long from, long until) {
    return crowds.stream()
        .flatMap(crowd -> crowd.endedBetween(from, until).stream())
        .filter(Outcome::ok)
        .toList();
  }

  /**
   * What was used so far.
   *
   * @param cpuNanos of each node, then of upstream and clients together
   */
  private record Count(long messages, long events, long bytes, List<Long> cpuNanos) {
    Count minus(Count before) {
      List<Long> nanos = new ArrayList<>();
      for (int i = 0; i < cpuNanos.size(); i++) {
        nanos.add(cpuNanos.get(i) - before.cpuNanos.get(i));
      }
      return new Count(
          messages - before.messages, events - before.events, bytes - before.bytes, nanos);
    }
  }

  private Count count() throws SQLException {
    ToLongFunction<NodeProcess> cpu = node -> CpuTimes.nanos(node.pid());
    List<Long> nanos = new ArrayList<>(nodes.stream().map(cpu::applyAsLong).toList());
    nanos.add(CpuTimes.nanos(upstream.pid()) + CpuTimes.nanos(ProcessHandle.current().pid()));
    try (Connection connection = DriverManager.getConnection(journal.url(), "rowhouse", "");
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select count(*), sum(octet_length(\"event_payload\")) from \"event_journal\"")) {
      row.next();
      return new Count(fairness().path("messages").asLong(), row.getLong(1), row.getLong(2), nanos);
    }
  }
}
