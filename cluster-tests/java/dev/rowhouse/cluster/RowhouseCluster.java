package dev.rowhouse.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.Operator;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Several nodes of one cluster, with their journal and the model server behind them. */
final class RowhouseCluster implements AutoCloseable {
  /** Three JVMs on two busy cores take most of a minute. */
  private static final Duration FORM_MAX = Duration.ofMinutes(4);

  /** Beyond it a question to a paused or cut-off node has no answer. */
  private static final Duration LOOK = Duration.ofSeconds(3);

  private static final int ARTERY = 2;
  private static final String TOKEN = "operator-token-of-the-cluster-tests";

  /**
   * Small heaps, so that five nodes and a journal fit a laptop; and no second compiler, which takes
   * half of a start's CPU from the other nodes and gives it back after an hour.
   */
  private static final String SMALL = "-Xms64m -Xmx512m -XX:TieredStopAtLevel=1";

  /** A machine that runs all of it takes longer for a commit than one that runs a node. */
  private static final String PATIENT =
      " -Drowhouse.journal.watch.answer-within=10s -Drowhouse.serving.ledger.answer-within=10s ";

  private final Path directory;
  private final Network network;
  private final JournalServer journal;
  private final FakeUpstream upstream;
  private final List<NodeProcess> prepared;
  private volatile List<NodeProcess> nodes;
  private Hardware hardware = Hardware.none();

  private RowhouseCluster(
      Path directory,
      Network network,
      JournalServer journal,
      FakeUpstream upstream,
      List<NodeProcess> nodes) {
    this.directory = directory;
    this.network = network;
    this.journal = journal;
    this.upstream = upstream;
    this.prepared = List.copyOf(nodes);
    this.nodes = prepared;
  }

  /** Nodes in namespaces where these are allowed, else on the loopback address. */
  static Network network(int nodes) {
    return Namespaces.obstacle() == null ? Namespaces.create(nodes) : new Loopback(nodes);
  }

  /** Nodes that are not started yet, with a journal and an upstream that are. */
  static RowhouseCluster prepared(Path directory, Network network, int count) {
    JournalServer journal =
        JournalServer.started(directory.resolve("journal"), network.hostOfServices());
    try {
      FakeUpstream upstream = FakeUpstream.start(InetAddress.getByName(network.hostOfServices()));
      String seeds =
          IntStream.range(0, count)
              .mapToObj(node -> network.hostOf(node) + ":" + network.ports(node).get(ARTERY))
              .collect(Collectors.joining(","));
      List<NodeProcess> nodes = new ArrayList<>();
      for (int node = 0; node < count; node++) {
        NodeProcess process =
            NodeProcess.at(
                directory.resolve("node-" + node),
                network.hostOf(node),
                network.prefix(node),
                network.ports(node));
        process
            .withJvmOptions(SMALL + PATIENT + journal.jvmOptions())
            .with("ROWHOUSE_SEED_NODES", seeds)
            .with("ROWHOUSE_OPERATOR_TOKEN", TOKEN)
            .with("ROWHOUSE_CLUSTER_SECRET", "cluster-secret-of-the-cluster-tests-0123456789")
            .with("ROWHOUSE_MASTER_KEY", "master-key-of-the-cluster-tests-0123456789abcdef")
            .with("ROWHOUSE_UNREADY_DELAY", "2s");
        journal.environment().forEach(process::with);
        nodes.add(process);
      }
      return new RowhouseCluster(directory, network, journal, upstream, nodes);
    } catch (UnknownHostException e) {
      journal.close();
      throw new IllegalStateException(e);
    }
  }

  /** Starts all nodes at once and waits for them. */
  RowhouseCluster start() {
    return start(prepared.size());
  }

  /** Starts the first of them, as many as that, and waits for them; others may {@link #join}. */
  RowhouseCluster start(int first) {
    nodes = prepared.subList(0, first);
    nodes.forEach(NodeProcess::start);
    nodes.forEach(NodeProcess::awaitReady);
    awaitWhole();
    return this;
  }

  /** Starts the next one, which is one of the nodes from now on, and does not wait for it. */
  NodeProcess join() {
    NodeProcess next = prepared.get(nodes.size()).start();
    nodes = prepared.subList(0, nodes.size() + 1);
    return next;
  }

  /** Puts a disk under the node 1 and a clock under the node 2 that can be broken. */
  RowhouseCluster onBrittleHardware() {
    hardware = Hardware.under(node(1), node(2), directory.resolve("hardware"));
    return this;
  }

  Hardware hardware() {
    return hardware;
  }

  Network network() {
    return network;
  }

  JournalServer journal() {
    return journal;
  }

  FakeUpstream upstream() {
    return upstream;
  }

  /** Those that are in it, or are to be; not those that have yet to join. */
  List<NodeProcess> nodes() {
    return nodes;
  }

  NodeProcess node(int node) {
    return prepared.get(node);
  }

  /** Any node that answers, for what only one has to be told. */
  Operator operator() {
    return nodes.stream()
        .filter(node -> node.isAlive() && node.isReady(LOOK))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no node is ready\n" + logs()))
        .operator();
  }

  /** Waits until every node is ready and sees every other as a member that is up. */
  void awaitWhole() {
    try {
      Await.until("all nodes are ready and see each other", FORM_MAX, this::isWhole);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + logs(), e);
    }
  }

  boolean isWhole() {
    return nodes.stream().allMatch(node -> node.isAlive() && node.isReady(LOOK))
        && nodes.stream().allMatch(node -> membersUp(node) == nodes.size());
  }

  /** Members that this node sees as up and reachable. */
  static int membersUp(NodeProcess node) {
    JsonNode cluster = node.operator().get("/admin/cluster").expect(200).json();
    int up = 0;
    for (JsonNode member : cluster.path("members")) {
      up += member.path("status").asText().equals("up") ? 1 : 0;
    }
    return up - cluster.path("unreachable").size();
  }

  /** The node on which the singletons are: the one that has been a member for longest. */
  int oldest() {
    String address = operator().get("/admin/cluster").expect(200).json().path("oldest").asText();
    for (int node = 0; node < nodes.size(); node++) {
      if (address.endsWith(network.hostOf(node) + ":" + network.ports(node).get(ARTERY))) {
        return node;
      }
    }
    throw new AssertionError("no node is at " + address);
  }

  /** Any node that the singletons are not on. */
  int younger() {
    return (oldest() + 1) % nodes.size();
  }

  String logs() {
    StringBuilder logs = new StringBuilder();
    for (int node = 0; node < nodes.size(); node++) {
      logs.append("=== node ").append(node).append('\n').append(nodes.get(node).log()).append('\n');
    }
    return logs.toString();
  }

  @Override
  public void close() {
    prepared.forEach(NodeProcess::close);
    hardware.close();
    upstream.close();
    journal.close();
    network.close();
  }
}
