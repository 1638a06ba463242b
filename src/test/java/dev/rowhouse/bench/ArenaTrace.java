package dev.rowhouse.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.bench.ArenaPolicies.Policy;
import dev.rowhouse.bench.ArenaPolicies.Published;
import dev.rowhouse.bench.arena.EngineProfile;
import dev.rowhouse.bench.arena.Score;
import dev.rowhouse.bench.arena.Summary;
import dev.rowhouse.bench.arena.Summary.Spread;
import dev.rowhouse.bench.arena.TraceRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The arena trace of VTC on a simulated copy of its testbed, with its policies and with ours; see
 * docs/fairness.md.
 *
 * <p>Arguments: the file of the trace (or the variable {@value #VARIABLE}), then how many runs per
 * policy ({@value #RUNS}). With fewer runs the plots go to the reports and not to docs/.
 */
public final class ArenaTrace {
  private static final String VARIABLE = "ROWHOUSE_ARENA_TRACE";
  private static final int RUNS = 15;

  /** As published: the light clients are all but the four that send the most. */
  private static final int HEAVY_CLIENTS = 4;

  private static final String HOW_TO_GET_IT =
      """
      The trace is missing: give its file as an argument, or in %s.

      It is public and not part of this project. It is in the artifact of the paper:
        git clone https://github.com/Ying1123/VTC-artifact
        mvn -q -Pbench verify -DskipTests -Dbench=ArenaTrace \\
            -Dbench.args=VTC-artifact/fair_bench/FCFS/all_results_real.jsonl
      A file of four columns does as well: arrival_s,client,input_tokens,output_tokens
      """
          .formatted(VARIABLE);

  private ArenaTrace() {}

  public static void main(String[] args) throws IOException {
    Path file = file(args);
    if (file == null || !Files.isReadable(file)) {
      System.err.println(
          file == null ? HOW_TO_GET_IT : "Cannot read " + file + "\n" + HOW_TO_GET_IT);
      System.exit(1);
      return;
    }
    int runs = Reports.argument(args, 1, RUNS);
    List<TraceRequest> trace = TraceRequest.read(file);
    Set<String> light = Score.lightClients(trace, HEAVY_CLIENTS);
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("requests", trace.size());
    report.put("light_clients", light.size());
    report.put("runs", runs);
    System.out.printf(
        "%d requests, %d of %d light clients; medians of %d runs, in brackets 8 of 10 runs%n",
        trace.size(),
        trace.stream().filter(request -> light.contains(request.client())).count(),
        light.size(),
        runs);
    Map<Policy, Summary> compared =
        serve(trace, light, ArenaPolicies.compared(), runs, report.putArray("compared"));
    System.out.println("Bounds: nothing but room holds up the light clients");
    serve(trace, light, ArenaPolicies.bounds(light), runs, report.putArray("bounds"));
    System.out.println("How much it hangs on the tunables:");
    serve(trace, light, ArenaPolicies.sensitivity(), runs, report.putArray("sensitivity"));
    Path docs = runs >= RUNS ? Path.of("docs") : Reports.directory();
    ArenaPlots.write(docs, compared);
    Reports.write("arena", report);
    System.exit(0);
  }

  private static @Nullable Path file(String[] args) {
    String variable = System.getenv(VARIABLE);
    if (args.length > 0 && !args[0].isBlank()) {
      return Path.of(args[0]);
    }
    return variable == null || variable.isBlank() ? null : Path.of(variable);
  }

  private static Map<Policy, Summary> serve(
      List<TraceRequest> trace,
      Set<String> light,
      List<Policy> policies,
      int runs,
      ArrayNode report) {
    System.out.printf(
        "%-30s %-18s %-18s %-19s %-19s %s%n",
        "policy",
        "max difference",
        "mean difference",
        "tokens/s",
        "light first token s",
        "their p99 s");
    Map<Policy, Summary> summaries = new LinkedHashMap<>();
    for (Policy policy : policies) {
      Summary summary = Summary.of(trace, light, EngineProfile.a10g(), policy.admission(), runs);
      summaries.put(policy, summary);
      print(policy, summary, trace.size());
      add(report.addObject(), policy, summary);
    }
    return summaries;
  }

  private static void print(Policy policy, Summary summary, int requests) {
    System.out.printf(
        "%-30s %-18s %-18s %-19s %-19s %s%s%n",
        policy.name(),
        text(summary.maxDifference(), 0),
        text(summary.meanDifference(), 0),
        text(summary.tokensPerSecond(), 0),
        text(summary.lightMeanSeconds(), 1),
        text(summary.lightP99Seconds(), 1),
        summary.served() == requests ? "" : "  refused " + (requests - summary.served()));
    Published published = policy.published();
    if (published != null) {
      System.out.printf(
          Locale.ROOT,
          "%-30s %-18.0f %-18.0f %-19.0f %-19.1f %.1f%n",
          "  published",
          published.maxDifference(),
          published.meanDifference(),
          published.tokensPerSecond(),
          published.lightMeanSeconds(),
          published.lightP99Seconds());
    }
  }

  private static String text(Spread spread, int digits) {
    String number = "%." + digits + "f";
    return String.format(
        Locale.ROOT,
        number + " (" + number + "-" + number + ")",
        spread.median(),
        spread.low(),
        spread.high());
  }

  private static void add(ObjectNode node, Policy policy, Summary summary) {
    node.put("policy", policy.name());
    add(node, "max_difference", summary.maxDifference());
    add(node, "mean_difference", summary.meanDifference());
    add(node, "tokens_per_second", summary.tokensPerSecond());
    add(node, "light_first_token_seconds_mean", summary.lightMeanSeconds());
    add(node, "light_first_token_seconds_p99", summary.lightP99Seconds());
    node.put("served", summary.served());
    ArrayNode differences = node.putArray("difference_per_tick");
    summary.differences().forEach(differences::add);
  }

  private static void add(ObjectNode node, String name, Spread spread) {
    ObjectNode values = node.putObject(name);
    values.put("median", spread.median());
    values.put("p10", spread.low());
    values.put("p90", spread.high());
  }
}
