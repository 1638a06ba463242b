package dev.rowhouse.bench.arena;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The figures of one policy.
 *
 * @param differences per tick, weighted tokens per second
 * @param tokensPerSecond input and output tokens of what was served, over the time to the last end
 * @param lightMeanSeconds the light clients' mean time to first token
 * @param lightP99Seconds its 99th percentile
 * @param served requests that were not refused
 */
public record Score(
    List<Double> differences,
    double tokensPerSecond,
    double lightMeanSeconds,
    double lightP99Seconds,
    int served) {

  public static Score of(
      List<Run> runs, Set<String> lightClients, ServiceDifference.Windows windows) {
    List<Run> served = runs.stream().filter(run -> !run.refused()).toList();
    double end = served.stream().mapToDouble(Run::endSeconds).max().orElse(0);
    long tokens =
        served.stream()
            .mapToLong(run -> run.request().inputTokens() + run.request().outputTokens())
            .sum();
    List<Double> waits =
        served.stream()
            .filter(run -> lightClients.contains(run.client()))
            .map(Run::timeToFirstTokenSeconds)
            .sorted()
            .toList();
    return new Score(
        ServiceDifference.perTick(runs, windows),
        tokens / end,
        waits.stream().mapToDouble(wait -> wait).average().orElse(0),
        percentile(waits, 0.99),
        served.size());
  }

  public double maxDifference() {
    return differences.stream().mapToDouble(value -> value).max().orElse(0);
  }

  public double meanDifference() {
    return differences.stream().mapToDouble(value -> value).average().orElse(0);
  }

  /** Every client but the so many that send the most requests. */
  public static Set<String> lightClients(List<TraceRequest> trace, int heavyClients) {
    Map<String, Integer> counts = new HashMap<>();
    trace.forEach(request -> counts.merge(request.client(), 1, Integer::sum));
    return new HashSet<>(
        counts.keySet().stream()
            .sorted(
                Comparator.<String>comparingInt(client -> -counts.getOrDefault(client, 0))
                    .thenComparing(Comparator.naturalOrder()))
            .skip(heavyClients)
            .toList());
  }

  /** Between the two nearest ranks, in proportion. */
  static double percentile(List<Double> sorted, double part) {
    if (sorted.isEmpty()) {
      return 0;
    }
    double rank = part * (sorted.size() - 1);
    int below = (int) Math.floor(rank);
    int above = Math.min(below + 1, sorted.size() - 1);
    return sorted.get(below) + (rank - below) * (sorted.get(above) - sorted.get(below));
  }
}
