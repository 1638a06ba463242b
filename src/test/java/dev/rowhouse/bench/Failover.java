package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import dev.rowhouse.fairness.FairnessCoordinator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;

/**
 * What clients notice when the coordinator crashes under a load below capacity, many times in a
 * row. The crash is real: a message that the coordinator cannot handle, sent over the network to
 * its actor in the running node, so that the exception ends it and its memory is gone. A new one
 * claims an epoch and adopts the holders that the worker's table shows.
 *
 * <p>Arguments: crashes (10), seconds between them (5), tenants (20).
 */
public final class Failover {
  private static final String MODEL = "timed";
  private static final Duration LEAD = Duration.ofSeconds(15);
  private static final Duration EPOCH_MAX = Duration.ofSeconds(30);
  private static final int INPUT_MICROS = 100;
  private static final int OUTPUT_MICROS = 1_000;
  private static final int CLIENTS = 2;
  private static final Work WORK = Work.plain(MODEL, 50, 250);

  private Failover() {}

  /** A crash, the epochs before and after it, and how long until the new one acted. */
  private record Crash(long epochBefore, long epochAfter, double seconds, int heldAfter) {}

  public static void main(String[] args) throws IOException, InterruptedException {
    int crashes = Reports.argument(args, 0, 10);
    Duration between = Duration.ofSeconds(Reports.argument(args, 1, 5));
    int tenants = Reports.argument(args, 2, 20);
    ActorSystem outside = outside();
    try (Stage stage = Stage.open(INPUT_MICROS, OUTPUT_MICROS)) {
      stage.model(MODEL, 2 * tenants * CLIENTS);
      List<Crowd> crowds = new ArrayList<>();
      for (int i = 0; i < tenants; i++) {
        String tenant = "tenant-" + i;
        crowds.add(new Crowd(stage.tenant(tenant, 1, 100), stage.port()));
      }
      long from = System.nanoTime() + LEAD.toNanos();
      CountDownLatch over = new CountDownLatch(1);
      crowds.forEach(crowd -> crowd.loop(CLIENTS, () -> over.getCount() > 0, () -> WORK));
      Progress.sleepUntil(from);
      List<Crash> seen = new ArrayList<>();
      for (int i = 1; i <= crashes; i++) {
        Crash crash = crash(stage, outside);
        seen.add(crash);
        System.out.printf(
            "crash %d: epoch %d, after %.2f s epoch %d, with %d slots held; %d requests so far%n",
            i,
            crash.epochBefore(),
            crash.seconds(),
            crash.epochAfter(),
            crash.heldAfter(),
            all(crowds, from).size());
        if (over.await(between.toMillis(), TimeUnit.MILLISECONDS)) {
          break;
        }
      }
      over.countDown();
      Crowd.awaitAnswers(crowds);
      report(seen, all(crowds, from), from);
      crowds.forEach(Crowd::close);
    } finally {
      outside.terminate();
    }
    System.exit(0);
  }

  /** An actor system that is no member of the node's cluster and can send to its actors. */
  private static ActorSystem outside() {
    return ActorSystem.create(
        "outside",
        ConfigFactory.parseString(
                """
                pekko {
                  loglevel = WARNING
                  actor.provider = remote
                  remote.artery.transport = tcp
                  remote.artery.canonical { hostname = 127.0.0.1, port = 0 }
                }
                """)
            .withFallback(ConfigFactory.defaultReference())
            .resolve());
  }

  private static Crash crash(Stage stage, ActorSystem outside) throws InterruptedException {
    long before = stage.fairness().path("epoch").asLong();
    long begin = System.nanoTime();
    // Pekko has the actor of a typed singleton below its manager.
    String path =
        "pekko://rowhouse@127.0.0.1:%1$d/system/singletonManager%2$s/%2$s"
            .formatted(stage.arteryPort(), FairnessCoordinator.NAME);
    outside.actorSelection(path).tell("no command of a coordinator", ActorRef.noSender());
    while (System.nanoTime() - begin < EPOCH_MAX.toNanos()) {
      JsonNode fairness = stage.fairnessIfAnswered();
      if (fairness != null && fairness.path("epoch").asLong() > before && held(fairness) > 0) {
        return new Crash(
            before,
            fairness.path("epoch").asLong(),
            (System.nanoTime() - begin) / 1e9,
            held(fairness));
      }
      Thread.sleep(20);
    }
    return new Crash(before, -1, Double.NaN, 0);
  }

  private static int held(JsonNode fairness) {
    int held = 0;
    for (JsonNode pool : fairness.path("pools")) {
      for (JsonNode tenant : pool.path("tenants")) {
        held += tenant.path("held").asInt();
      }
    }
    return held;
  }

  private static List<Outcome> all(List<Crowd> crowds, long from) {
    return crowds.stream()
        .flatMap(crowd -> crowd.endedBetween(from, Long.MAX_VALUE).stream())
        .sorted(Comparator.comparingLong(Outcome::doneNanos))
        .toList();
  }

  private static void report(List<Crash> crashes, List<Outcome> outcomes, long from)
      throws IOException {
    long failures = outcomes.stream().filter(outcome -> !outcome.ok()).count();
    long lastNanos = from;
    long gapNanos = 0;
    for (Outcome outcome : outcomes) {
      gapNanos = Math.max(gapNanos, outcome.doneNanos() - lastNanos);
      lastNanos = outcome.doneNanos();
    }
    double seconds = (lastNanos - from) / 1e9;
    double longest = outcomes.stream().mapToDouble(Outcome::millis).max().orElse(Double.NaN);
    double p50 = Figures.quantile(outcomes.stream().mapToDouble(Outcome::millis), 0.5);
    long epochs = crashes.stream().filter(crash -> crash.epochAfter() > 0).count();
    System.out.printf(
        "%d crashes, %d new epochs; %d requests in %.0f s, %d failed%n",
        crashes.size(), epochs, outcomes.size(), seconds, failures);
    System.out.printf(
        "longest time without an answer to anybody %.0f ms; a request: p50 %.0f, most %.0f ms%n",
        gapNanos / 1e6, p50, longest);
    outcomes.stream()
        .filter(outcome -> !outcome.ok())
        .limit(5)
        .forEach(o -> System.out.println("  failed: " + o.status() + " " + o.code()));
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report
        .put("crashes", crashes.size())
        .put("new_epochs", epochs)
        .put("requests", outcomes.size())
        .put("failures", failures)
        .put("longest_gap_ms", gapNanos / 1e6)
        .put("request_p50_ms", p50)
        .put("request_longest_ms", longest);
    var all = report.putArray("each");
    for (Crash crash : crashes) {
      all.addObject()
          .put("epoch_before", crash.epochBefore())
          .put("epoch_after", crash.epochAfter())
          .put("seconds", crash.seconds())
          .put("held_after", crash.heldAfter());
    }
    Reports.write("failover", report);
  }
}
