package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.node.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What a request costs a node, next to a bare proxy on the same toolkit, in the same run: both
 * stand before the same upstream with a static answer, and the load goes to them in turns. The
 * measure is the CPU time of the proxy's process per request, which the load generator cannot
 * distort as it does throughput on a small machine.
 *
 * <p>Arguments: rounds (5), seconds per turn (5), connections (16).
 */
public final class ProxyCost {
  private static final String BODY =
      """
      {"model": "static", "messages": [{"role": "system", "content": "You answer briefly."},\
      {"role": "user", "content": "What is a rowhouse, and why do its walls touch?"}],\
      "max_tokens": 200, "rowhouse": {"retrieval": false}}\
      """;

  private static final String PATH = "/v1/chat/completions";

  /** The compilers of both JVMs need a while; figures settle after some ten thousand requests. */
  private static final int WARM_UP_TURNS = 3;

  private ProxyCost() {}

  /** One turn of one proxy. */
  private record Turn(LoadGenerator.Result load, double cpuMicrosPerRequest) {}

  /** A proxy under test. */
  private record Subject(String name, LoadGenerator load, long pid) {
    Turn turn(int connections, Duration duration) throws IOException, InterruptedException {
      long before = CpuTimes.nanos(pid);
      LoadGenerator.Result result = load.run(connections, duration);
      double cpuMicros = (CpuTimes.nanos(pid) - before) / 1e3;
      if (result.failures() > 0 || result.requests() == 0) {
        throw new IOException(name + ": " + result.failures() + " requests were not answered");
      }
      return new Turn(result, cpuMicros / result.requests());
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    int rounds = Reports.argument(args, 0, 5);
    Duration duration = Duration.ofSeconds(Reports.argument(args, 1, 5));
    int connections = Reports.argument(args, 2, 16);
    Path directory = Reports.scratch();
    Path jvmOptions = NodeProcess.distribution().resolve("conf/jvm.options");
    int upstreamPort = Child.freePort();
    int proxyPort = Child.freePort();
    try (Child upstream =
            Child.start(
                directory.resolve("upstream.log"),
                jvmOptions,
                StaticUpstream.class,
                upstreamPort,
                List.of());
        Child proxy =
            Child.start(
                directory.resolve("proxy.log"),
                jvmOptions,
                BareProxy.class,
                proxyPort,
                List.of(Integer.toString(upstreamPort)));
        NodeProcess node = NodeProcess.started(directory.resolve("node"))) {
      node.operator()
          .addModel(
              "static", URI.create("http://127.0.0.1:" + upstreamPort + "/v1"), connections * 2);
      String key = node.operator().onboard("acme", wideLimits(connections));
      Subject bare =
          new Subject("bare proxy", new LoadGenerator(proxyPort, PATH, key, BODY), proxy.pid());
      Subject ours =
          new Subject(
              "rowhouse", new LoadGenerator(node.httpUri().getPort(), PATH, key, BODY), node.pid());
      System.out.printf("upstream %d, %d connections%n", upstream.pid(), connections);
      measure(bare, ours, rounds, duration, connections);
    }
    // The HTTP client's threads would keep this process for a while.
    System.exit(0);
  }

  private static String wideLimits(int connections) {
    return """
    {"limits": {"requests_per_minute": 100000000, "tokens_per_minute": 100000000000,
     "concurrent_requests": %d, "queue_length": %d}}\
    """
        .formatted(connections * 2, connections * 2);
  }

  private static void measure(
      Subject bare, Subject ours, int rounds, Duration duration, int connections)
      throws IOException, InterruptedException {
    for (int i = 0; i < WARM_UP_TURNS; i++) {
      bare.turn(connections, duration);
      ours.turn(connections, duration);
    }
    List<Turn> bareTurns = new ArrayList<>();
    List<Turn> ourTurns = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (int round = 1; round <= rounds; round++) {
      Turn theirs = bare.turn(connections, duration);
      Turn mine = ours.turn(connections, duration);
      bareTurns.add(theirs);
      ourTurns.add(mine);
      ratios.add(mine.cpuMicrosPerRequest() / theirs.cpuMicrosPerRequest());
      print(round, bare.name(), theirs);
      print(round, ours.name(), mine);
    }
    double ratio = Reports.median(ratios);
    System.out.printf(
        "CPU per request, rowhouse / bare proxy: %.2f (median of %d)%n", ratio, rounds);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("ratio", ratio);
    report.put("rounds", rounds);
    report.put("seconds_per_turn", duration.toSeconds());
    report.put("connections", connections);
    ArrayNode all = report.putArray("ratios");
    ratios.forEach(all::add);
    report.set("bare_proxy", summary(bareTurns));
    report.set("rowhouse", summary(ourTurns));
    Reports.write("proxy-cost", report);
  }

  private static void print(int round, String name, Turn turn) {
    System.out.printf(
        "round %d  %-10s  %7.1f us CPU/request  %8.0f requests/s  p50 %6.2f ms  p99 %6.2f ms%n",
        round,
        name,
        turn.cpuMicrosPerRequest(),
        turn.load().requestsPerSecond(),
        turn.load().p50Millis(),
        turn.load().p99Millis());
  }

  private static ObjectNode summary(List<Turn> turns) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put(
        "cpu_us_per_request",
        Reports.median(turns.stream().map(Turn::cpuMicrosPerRequest).toList()));
    json.put(
        "requests_per_second",
        Reports.median(turns.stream().map(turn -> turn.load().requestsPerSecond()).toList()));
    json.put(
        "p50_ms", Reports.median(turns.stream().map(turn -> turn.load().p50Millis()).toList()));
    json.put(
        "p99_ms", Reports.median(turns.stream().map(turn -> turn.load().p99Millis()).toList()));
    return json;
  }
}
