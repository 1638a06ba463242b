package dev.rowhouse.cluster;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A cluster that all tests of a class share: formed before the first, ended after the last. From
 * the first trial on a supervisor looks after its nodes; without trials, whoever ends stays away. A
 * test takes the cluster as its parameter.
 */
final class ClusterUnderTrial implements BeforeAllCallback, AfterAllCallback, ParameterResolver {
  /**
   * Whether the directory of the nodes, with their logs, is left there for whoever wants to read.
   */
  private static final String KEEP = "rowhouse.cluster.keep";

  private final int count;
  private final IntFunction<Network> network;
  private final Consumer<RowhouseCluster> preparation;
  private @Nullable Path directory;
  private @Nullable RowhouseCluster cluster;
  private @Nullable Supervisor supervisor;

  private ClusterUnderTrial(
      int count, IntFunction<Network> network, Consumer<RowhouseCluster> preparation) {
    this.count = count;
    this.network = network;
    this.preparation = preparation;
  }

  /** So many nodes, each in a namespace of its own where that is allowed. */
  static ClusterUnderTrial of(int nodes) {
    return new ClusterUnderTrial(nodes, RowhouseCluster::network, _ -> {});
  }

  /** So many nodes on the loopback address, for tests that cut no wire. */
  static ClusterUnderTrial onLoopback(int nodes) {
    return new ClusterUnderTrial(nodes, Loopback::new, _ -> {});
  }

  /** The same, with something done to the cluster before its nodes are started. */
  ClusterUnderTrial prepared(Consumer<RowhouseCluster> more) {
    return new ClusterUnderTrial(count, network, preparation.andThen(more));
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    directory = Files.createTempDirectory("rowhouse-cluster");
    cluster = RowhouseCluster.prepared(directory, network.apply(count), count);
    preparation.accept(cluster);
    cluster.start();
  }

  /** Also when it was not formed: what has begun must not outlive the class. */
  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    if (supervisor != null) {
      supervisor.close();
    }
    if (cluster != null) {
      cluster.close();
    }
    if (directory != null && Boolean.getBoolean(KEEP)) {
      context.publishReportEntry("kept", directory.toString());
    } else if (directory != null) {
      delete(directory);
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == RowhouseCluster.class;
  }

  @Override
  public RowhouseCluster resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return formed();
  }

  private RowhouseCluster formed() {
    return requireNonNull(cluster, "the cluster is formed before the first test");
  }

  /** Runs one trial, reports it and fails when something was that must not be. */
  void judge(Nemesis nemesis) {
    if (supervisor == null) {
      supervisor = Supervisor.started(formed());
    }
    Trial.judged(formed(), supervisor, nemesis);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(one);
      }
    }
  }
}
