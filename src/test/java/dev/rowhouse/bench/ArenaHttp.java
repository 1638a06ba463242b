package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ChatConnection.Outcome;
import dev.rowhouse.bench.ChatConnection.Work;
import dev.rowhouse.bench.ServiceWindows.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * The arrivals of a real trace (the arena trace of VTC: columns arrival_s, client, input_tokens,
 * output_tokens) through the HTTP API of a running node, a tenant with a key for each client, with
 * time compressed: once with a plain first-come-first-served queue in front of as many slots, once
 * with the node's fair queue for each of its estimators. Every request streams.
 *
 * <p>Arguments: the file (or the environment variable ROWHOUSE_ARENA_TRACE), how much faster than
 * the trace (10), slots (24). It draws docs/arena-http.svg.
 */
public final class ArenaHttp {
  /** In the time of the trace: with 24 slots about the 779 tokens/s of the paper's testbed. */
  private static final int OUTPUT_MICROS = 42_000;

  private static final int INPUT_MICROS = 4_200;

  /** The tenants with the most requests are the heavy ones; all others are light. */
  static final int HEAVY_TENANTS = 4;

  private static final int QUEUE_LENGTH = 10_000;
  private static final String FIRST_COME = "first_come";
  private static final List<String> ESTIMATORS = List.of("zero", "moving_mean", "max_tokens");
  private static final int WARM_UP_REQUESTS = 300;
  private static final int WARM_UP_TOKENS = 20;

  private ArenaHttp() {}

  /** A line of the trace. */
  private record Arrival(double seconds, String client, int inputTokens, int outputTokens) {}

  /** The figures of one way to queue, in the time of the trace. */
  record Result(
      String policy,
      List<Double> differences,
      double tokensPerSecond,
      double lightMeanSeconds,
      double lightP99Seconds,
      long failures) {

    double most() {
      return differences.stream().mapToDouble(value -> value).max().orElse(Double.NaN);
    }

    double mean() {
      return differences.stream().mapToDouble(value -> value).average().orElse(Double.NaN);
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    String file = args.length > 0 ? args[0] : System.getenv("ROWHOUSE_ARENA_TRACE");
    if (file == null) {
      System.err.println("the trace is the first argument, or in ROWHOUSE_ARENA_TRACE");
      System.exit(2);
      return;
    }
    List<Arrival> trace = read(Path.of(file));
    int speed = Reports.argument(args, 1, 10);
    int slots = Reports.argument(args, 2, 24);
    Set<String> light = lightClients(trace);
    List<Result> results = new ArrayList<>();
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("requests", trace.size()).put("speed", speed).put("slots", slots);
    try (Stage stage = Stage.open(INPUT_MICROS / speed, OUTPUT_MICROS / speed)) {
      Map<String, Crowd> crowds = crowds(stage, trace);
      warmUp(stage, crowds, slots);
      stage.model(FIRST_COME, 2 * slots);
      results.add(
          run(stage, crowds, trace, light, FIRST_COME, new Semaphore(slots, true), speed, report));
      for (String estimator : ESTIMATORS) {
        stage.model(estimator, slots, estimator);
        results.add(run(stage, crowds, trace, light, estimator, null, speed, report));
      }
      crowds.values().forEach(Crowd::close);
    }
    Path docs = Path.of("docs");
    if (Files.isDirectory(docs)) {
      Path picture = docs.resolve("arena-http.svg");
      Files.writeString(picture, ArenaPicture.draw(results, speed));
      System.out.println("drawn to " + picture);
    }
    Reports.write("arena-http", report);
    System.exit(0);
  }

  private static List<Arrival> read(Path file) throws IOException {
    List<Arrival> arrivals = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      String[] fields = line.split(",", -1);
      if (fields.length == 4 && !fields[0].equals("arrival_s")) {
        arrivals.add(
            new Arrival(
                Double.parseDouble(fields[0]),
                fields[1],
                Integer.parseInt(fields[2]),
                Integer.parseInt(fields[3])));
      }
    }
    arrivals.sort(Comparator.comparingDouble(Arrival::seconds));
    return arrivals;
  }

  private static Set<String> lightClients(List<Arrival> trace) {
    Map<String, Integer> counts = new HashMap<>();
    trace.forEach(arrival -> counts.merge(arrival.client(), 1, Integer::sum));
    return new HashSet<>(
        counts.entrySet().stream()
            .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
            .skip(HEAVY_TENANTS)
            .map(Map.Entry::getKey)
            .toList());
  }

  private static Map<String, Crowd> crowds(Stage stage, List<Arrival> trace) {
    Map<String, Crowd> crowds = new LinkedHashMap<>();
    for (Arrival arrival : trace) {
      crowds.computeIfAbsent(
          arrival.client(),
          client -> {
            String tenant = "client-" + client;
            return new Crowd(stage.tenant(tenant, 1, QUEUE_LENGTH), stage.port());
          });
    }
    return crowds;
  }

  /** The code of a request is compiled and connections are open before anything is measured. */
  private static void warmUp(Stage stage, Map<String, Crowd> crowds, int slots)
      throws InterruptedException {
    stage.model("warm-up", slots);
    List<Crowd> all = List.copyOf(crowds.values());
    for (int i = 0; i < WARM_UP_REQUESTS; i++) {
      all.get(i % all.size()).ask(new Work("warm-up", WARM_UP_TOKENS, WARM_UP_TOKENS, true, false));
    }
    Crowd.awaitAnswers(all);
  }

  private static Result run(
      Stage stage,
      Map<String, Crowd> crowds,
      List<Arrival> trace,
      Set<String> light,
      String policy,
      @Nullable Semaphore firstCome,
      int speed,
      ObjectNode report)
      throws InterruptedException {
    CpuTimes cpu = stage.cpu();
    long begin = System.nanoTime();
    for (Arrival arrival : trace) {
      Progress.sleepUntil(begin + (long) (arrival.seconds() * 1e9 / speed));
      Crowd crowd = crowds.get(arrival.client());
      Work work =
          new Work(
              policy,
              arrival.inputTokens(),
              arrival.outputTokens(),
              true,
              policy.equals("max_tokens"));
      if (crowd != null) {
        crowd.ask(work, firstCome);
      }
    }
    Crowd.awaitAnswers(List.copyOf(crowds.values()));
    double seconds = (System.nanoTime() - begin) / 1e9;
    cpu = stage.cpu().minus(cpu);
    Result result = result(policy, crowds, light, begin, speed);
    print(result);
    System.out.printf("  %s%n", cpu.perRequest(trace.size(), seconds));
    ObjectNode one = report.putObject(policy);
    one.put("max_difference", result.most())
        .put("mean_difference", result.mean())
        .put("tokens_per_second", result.tokensPerSecond())
        .put("light_mean_ttft_seconds", result.lightMeanSeconds())
        .put("light_p99_ttft_seconds", result.lightP99Seconds())
        .put("failures", result.failures());
    one.set("cpu", cpu.json(trace.size(), seconds));
    perTenant(one, crowds, begin, speed);
    return result;
  }

  private static Result result(
      String policy, Map<String, Crowd> crowds, Set<String> light, long begin, int speed) {
    List<Answer> answers = new ArrayList<>();
    List<Double> lightWaits = new ArrayList<>();
    double tokens = 0;
    double last = 0;
    long failures = 0;
    for (Map.Entry<String, Crowd> one : crowds.entrySet()) {
      for (Outcome outcome : one.getValue().sentBetween(begin, Long.MAX_VALUE)) {
        if (!outcome.ok()) {
          failures++;
          System.out.printf("  failed: %d %s%n", outcome.status(), outcome.code());
          continue;
        }
        double end = (outcome.doneNanos() - begin) / 1e9 * speed;
        answers.add(
            new Answer(
                one.getKey(),
                outcome.cost(),
                (outcome.sentNanos() - begin) / 1e9 * speed,
                (outcome.firstNanos() - begin) / 1e9 * speed,
                end));
        tokens += outcome.tokens();
        last = Math.max(last, end);
        if (light.contains(one.getKey())) {
          lightWaits.add(outcome.millisToFirst() / 1e3 * speed);
        }
      }
    }
    return new Result(
        policy,
        ServiceWindows.differences(answers),
        tokens / last,
        lightWaits.stream().mapToDouble(wait -> wait).average().orElse(Double.NaN),
        Figures.quantile(lightWaits.stream().mapToDouble(wait -> wait), 0.99),
        failures);
  }

  private static void perTenant(
      ObjectNode report, Map<String, Crowd> crowds, long begin, int speed) {
    var all = report.putArray("tenants");
    crowds.forEach(
        (client, crowd) -> {
          List<Outcome> outcomes = crowd.sentBetween(begin, Long.MAX_VALUE);
          all.addObject()
              .put("client", client)
              .put("requests", outcomes.size())
              .put("cost", outcomes.stream().mapToDouble(Outcome::cost).sum())
              .put(
                  "mean_ttft_seconds",
                  outcomes.stream()
                      .filter(Outcome::ok)
                      .mapToDouble(outcome -> outcome.millisToFirst() / 1e3 * speed)
                      .average()
                      .orElse(Double.NaN));
        });
  }

  private static void print(Result result) {
    System.out.printf(
        "%-12s difference max %.0f, mean %.0f; %.0f tokens/s; light: %.1f s, p99 %.1f s; %d"
            + " failed%n",
        result.policy(),
        result.most(),
        result.mean(),
        result.tokensPerSecond(),
        result.lightMeanSeconds(),
        result.lightP99Seconds(),
        result.failures());
  }
}
