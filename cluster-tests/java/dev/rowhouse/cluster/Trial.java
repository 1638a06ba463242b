package dev.rowhouse.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.Await;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.NodeProcess;
import dev.rowhouse.node.Operator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A nemesis on a cluster under load: before it, during it and until the clients are served as
 * before; then the history is read. Each trial has tenants of its own.
 */
final class Trial {
  /** Names of nemeses, with commas between them; the others are skipped. */
  private static final String ONLY = "rowhouse.cluster.only";

  /** Whether the figures are checked, too, which a busy machine cannot hold. */
  private static final String FIGURES = "rowhouse.cluster.figures";

  private static final int TENANTS = 6;
  private static final int REQUESTS_PER_SECOND = 20;
  private static final int SLOTS_PER_NODE = 16;

  /** What the figures are compared with: this long, undisturbed. */
  private static final Duration BEFORE = Duration.ofSeconds(8);

  /** Nodes that have just started are slow for a while, and longer on a busy machine. */
  private static final Duration WARM_MAX = Duration.ofMinutes(3);

  private static final int ONBOARD_TRIES_MAX = 20;
  private static final long WARM_MILLIS = 3_000;

  /** A p95 of so many times what it was, and of so many more milliseconds, is as before. */
  private static final int ORDINARY_TIMES = 3;

  private static final int ORDINARY_MORE_MILLIS = 500;

  /**
   * What a trial found.
   *
   * @param failures attempts that were answered with an error or broke off
   * @param recoverySeconds from the strike until the p95 was as before; a node that is killed is
   *     still away then
   * @param rejoinSeconds from the start of the node that was killed until the p95 was as before
   * @param memory each node's, where it was looked at
   */
  record Result(
      String nemesis,
      HistoryChecker.Verdict verdict,
      int staleTicketsRun,
      double success,
      long failures,
      double recoverySeconds,
      double rejoinSeconds,
      List<Supervisor.End> ends,
      List<Memory.Usage> memory,
      List<String> failed) {}

  private final RowhouseCluster cluster;
  private final Supervisor supervisor;

  Trial(RowhouseCluster cluster, Supervisor supervisor) {
    this.cluster = cluster;
    this.supervisor = supervisor;
  }

  /** Runs one, reports it and fails when something was that must not be. */
  static void judged(RowhouseCluster cluster, Supervisor supervisor, Nemesis nemesis) {
    String only = System.getProperty(ONLY, "");
    assumeTrue(
        only.isEmpty() || List.of(only.split(",", -1)).contains(nemesis.text()),
        () -> "-D" + ONLY + " leaves it out");
    assumeTrue(
        !nemesis.cuts() || cluster.network().canCut(),
        () -> "no wire can be cut: " + Namespaces.obstacle());
    Result result = new Trial(cluster, supervisor).run(nemesis);
    Report.add(result, cluster.journal().name(), cluster.nodes().size());
    String all = result.toString();
    assertTrue(result.verdict().isGood(), all);
    assertEquals(0, result.staleTicketsRun(), all);
    assertTrue(result.memory().stream().allMatch(Memory.Usage::isBounded), all);
    if (!areFiguresChecked()) {
      return;
    }
    Expectation expected = Expectation.of(nemesis, cluster.nodes().size());
    assertTrue(result.success() >= expected.successMin(), all);
    assertTrue(result.recoverySeconds() <= expected.recoverySecondsMax(), all);
    if (expected.nobodyDowned()) {
      assertEquals(0, result.ends().size(), all);
    }
    if (expected.noFailures()) {
      assertEquals(0, result.failures(), all);
    }
  }

  static boolean areFiguresChecked() {
    return Boolean.getBoolean(FIGURES);
  }

  Result run(Nemesis nemesis) {
    String model = "steady-" + nemesis.text();
    cluster.upstream().on(model, Behaviour.of(8, 25));
    Operator operator = cluster.operator();
    operator.addModel(model, cluster.upstream().baseUrl(), SLOTS_PER_NODE);
    Map<String, String> keys = new LinkedHashMap<>();
    for (int tenant = 0; tenant < TENANTS; tenant++) {
      onboard(operator, nemesis.text() + "-" + (char) ('a' + tenant), keys);
    }
    Map<String, JsonNode> configs = configs(keys);
    int endsBefore = supervisor.ends().size();
    long strike;
    long returned;
    List<Operation> operations;
    List<Attempt> attempts;
    List<Memory.Usage> memory;
    try (Epochs epochs = Epochs.watched(cluster);
        Load load = Load.open(cluster, model, keys, REQUESTS_PER_SECOND, nemesis.promptChars())) {
      awaitWarm(load);
      Memory watch = nemesis.promptChars() == 0 ? null : Memory.watched(cluster);
      strike = load.nowMillis();
      long backBefore = supervisor.broughtBackNanos();
      try (watch) {
        nemesis.strike(cluster, supervisor);
      }
      memory = watch == null ? List.of() : watch.usages();
      long back = supervisor.broughtBackNanos();
      returned = back == backBefore ? Long.MAX_VALUE : load.millisAt(back);
      Await.pause(nemesis.watched());
      cluster.awaitWhole();
      load.finish();
      operations = load.operations();
      attempts = load.attempts();
      epochs.check();
    }
    HistoryChecker.Verdict verdict = HistoryChecker.check(attempts, records(cluster.node(0), keys));
    Map<String, JsonNode> now = configs(keys);
    if (!now.equals(configs)) {
      throw new AssertionError("tenants' configs have changed: " + configs + " and " + now);
    }
    List<Operation> after = operations.stream().filter(one -> one.beganMillis() >= strike).toList();
    long good = after.stream().filter(Operation::succeeded).count();
    long before = Recovery.p95(operations, strike - BEFORE.toMillis(), strike);
    return new Result(
        nemesis.text(),
        verdict,
        staleTicketsRun(),
        after.isEmpty() ? 0 : (double) good / after.size(),
        after.stream().mapToLong(Operation::failures).sum(),
        Recovery.secondsWithout(operations, strike, returned, ordinary(before)),
        returned == Long.MAX_VALUE ? 0 : Recovery.seconds(operations, returned, ordinary(before)),
        supervisor.ends().subList(endsBefore, supervisor.ends().size()),
        memory,
        failed(attempts));
  }

  /**
   * A journal on a busy machine is taken to be away now and then; the next try has another name.
   */
  private static void onboard(Operator operator, String name, Map<String, String> keys) {
    for (int tries = 1; ; tries++) {
      String tenant = name + tries;
      try {
        keys.put(tenant, operator.onboard(tenant));
        return;
      } catch (AssertionError refused) {
        if (tries == ONBOARD_TRIES_MAX) {
          throw refused;
        }
        Await.pause(Duration.ofSeconds(2));
      }
    }
  }

  private static long ordinary(long beforeMillis) {
    return Math.min(beforeMillis, WARM_MILLIS) * ORDINARY_TIMES + ORDINARY_MORE_MILLIS;
  }

  /** Waits until all of the last seconds was answered, and soon. */
  private static void awaitWarm(Load load) {
    long begin = load.nowMillis();
    Await.until(
        "the load is served without failures",
        WARM_MAX,
        () -> {
          long now = load.nowMillis();
          List<Operation> last =
              load.operations().stream()
                  .filter(one -> one.beganMillis() > now - BEFORE.toMillis() - WARM_MILLIS)
                  .toList();
          return now - begin > BEFORE.toMillis()
              && last.stream().allMatch(one -> one.attempts().size() == 1 && one.succeeded())
              && Recovery.p95(last, 0, now) < WARM_MILLIS;
        });
  }

  /** More calls of one node at once than it has slots: a ticket was used beside another. */
  private int staleTicketsRun() {
    int beyond = 0;
    for (int node = 0; node < cluster.nodes().size(); node++) {
      int slots =
          cluster.network().canCut() ? SLOTS_PER_NODE : SLOTS_PER_NODE * cluster.nodes().size();
      int most = cluster.upstream().runningMostOf(cluster.network().hostOf(node));
      beyond += Math.max(0, most - slots);
    }
    return beyond;
  }

  private Map<String, JsonNode> configs(Map<String, String> keys) {
    Map<String, JsonNode> configs = new LinkedHashMap<>();
    Operator operator = cluster.operator();
    keys.keySet()
        .forEach(
            tenant ->
                configs.put(tenant, operator.get("/admin/tenants/" + tenant).expect(200).json()));
    return configs;
  }

  /** The ids of each tenant's usage records, as that node tells them. */
  static Map<String, List<String>> records(NodeProcess node, Map<String, String> keys) {
    Map<String, List<String>> records = new LinkedHashMap<>();
    keys.forEach(
        (tenant, key) -> {
          List<String> ids = new ArrayList<>();
          for (JsonNode record : node.tenant(key).usageRecords()) {
            ids.add(record.path("request_id").asText());
          }
          records.put(tenant, ids);
        });
    return records;
  }

  /** The first attempts that failed, in words. */
  static List<String> failed(List<Attempt> attempts) {
    return attempts.stream()
        .filter(
            attempt ->
                attempt.outcome() == Attempt.Outcome.REFUSED
                    || attempt.outcome() == Attempt.Outcome.UNKNOWN)
        .map(
            attempt ->
                "%d ms: %s after %d ms at node %d, status %d %s, %s"
                    .formatted(
                        attempt.beganMillis(),
                        attempt.outcome(),
                        attempt.millis(),
                        attempt.gateway(),
                        attempt.status(),
                        attempt.code(),
                        attempt.id()))
        .limit(40)
        .toList();
  }
}
