package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.Reply;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the benchmarks of fairness stand on: a node from the distribution, and behind it an upstream
 * whose tokens take time; each a process of its own.
 */
final class Stage implements AutoCloseable {
  /** Limits that are not what is measured. */
  private static final int WIDE = 1_000_000;

  private static final String PLAN = "patient";

  private final Child upstream;
  private final URI upstreamUri;
  private final NodeProcess node;
  private final int arteryPort;

  private Stage(Child upstream, URI upstreamUri, NodeProcess node, int arteryPort) {
    this.upstream = upstream;
    this.upstreamUri = upstreamUri;
    this.node = node;
    this.arteryPort = arteryPort;
  }

  /**
   * Starts both.
   *
   * @param inputMicros what a token of a prompt takes
   * @param outputMicros what a token of an answer takes
   */
  static Stage open(int inputMicros, int outputMicros) throws IOException, InterruptedException {
    Path directory = Reports.scratch();
    int port = Child.freePort();
    Child upstream =
        Child.start(
            directory.resolve("upstream.log"),
            NodeProcess.distribution().resolve("conf/jvm.options"),
            TimedUpstream.class,
            port,
            List.of(Integer.toString(inputMicros), Integer.toString(outputMicros)));
    int arteryPort = Child.freePort();
    NodeProcess node =
        NodeProcess.in(directory.resolve("node"))
            .with("ROWHOUSE_ARTERY_PORT", Integer.toString(arteryPort))
            .start()
            .awaitReady();
    node.operator()
        .put(
            "/admin/plans/" + PLAN,
            """
            {"queue_timeout_ms": 600000, "limits": {"requests_per_minute": %1$d,
             "tokens_per_minute": %1$d, "concurrent_requests": %1$d, "queue_length": %1$d}}\
            """
                .formatted(WIDE))
        .expect(200);
    return new Stage(upstream, URI.create("http://127.0.0.1:" + port + "/v1"), node, arteryPort);
  }

  /** A model of so many slots, which is a pool of its own. */
  void model(String name, int slots) {
    node.operator().addModel(name, upstreamUri, slots);
  }

  /**
   * A model of so many slots whose answers are estimated in that way.
   *
   * @param estimator as the body of {@code PUT /admin/models/{name}} has it
   */
  void model(String name, int slots, String estimator) {
    node.operator()
        .put(
            "/admin/models/" + name,
            """
            {"engine": "openai", "base_url": "%s", "slots": %d, "estimator": "%s"}\
            """
                .formatted(upstreamUri, slots, estimator))
        .expect(200);
  }

  /** Onboards a tenant and returns its key. */
  String tenant(String name, double weight, int queueLength) {
    return node.operator()
        .onboard(
            name,
            """
            {"plan": "%s", "weight": %s, "limits": {"queue_length": %d}}\
            """
                .formatted(PLAN, weight, queueLength));
  }

  int port() {
    return node.httpUri().getPort();
  }

  /** The port at which the node listens to other nodes. */
  int arteryPort() {
    return arteryPort;
  }

  /** {@code GET /admin/fairness}. */
  JsonNode fairness() {
    return node.operator().get("/admin/fairness?limit=1000").expect(200).json();
  }

  /** The same, or null while no coordinator answers. */
  @Nullable JsonNode fairnessIfAnswered() {
    Reply reply = node.operator().get("/admin/fairness?limit=1000");
    return reply.status() == 200 ? reply.json() : null;
  }

  /** Messages that the coordinator has handled; the question is the last of them. */
  long coordinatorMessages() {
    return fairness().path("messages").asLong();
  }

  /** The CPU times of the three processes so far. */
  CpuTimes cpu() {
    return new CpuTimes(
        CpuTimes.nanos(node.pid()),
        CpuTimes.nanos(upstream.pid()),
        CpuTimes.nanos(ProcessHandle.current().pid()));
  }

  @Override
  public void close() {
    node.close();
    upstream.close();
  }
}
