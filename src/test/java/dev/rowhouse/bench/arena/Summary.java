package dev.rowhouse.bench.arena;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The figures of one policy over many runs of the same trace whose steps differ by a few percent.
 * Which request enters at which step decides what comes after it, so a run more or less by a
 * millisecond moves the largest difference by a tenth or more: one run is an anecdote.
 *
 * @param differences per tick, the median
 * @param served requests that were not refused, in the first run
 */
public record Summary(
    Spread maxDifference,
    Spread meanDifference,
    Spread tokensPerSecond,
    Spread lightMeanSeconds,
    Spread lightP99Seconds,
    List<Double> differences,
    int served) {

  /** The median, and between what eight of ten runs are. */
  public record Spread(double median, double low, double high) {

    static Spread of(List<Double> values) {
      List<Double> sorted = values.stream().sorted().toList();
      return new Spread(
          Score.percentile(sorted, 0.5),
          Score.percentile(sorted, 0.1),
          Score.percentile(sorted, 0.9));
    }
  }

  /**
   * Runs the trace so many times, each with a new admission: first with steps as the profile says,
   * then with steps that differ by a seed.
   */
  public static Summary of(
      List<TraceRequest> trace,
      Set<String> lightClients,
      EngineProfile profile,
      Supplier<Admission> admission,
      int runs) {
    ServiceDifference.Windows windows = ServiceDifference.Windows.published();
    List<Score> scores =
        IntStream.range(0, runs)
            .parallel()
            .mapToObj(
                seed -> {
                  Random jitter = seed == 0 ? null : new Random(seed);
                  Engine engine = new Engine(profile, admission.get(), jitter);
                  return Score.of(engine.serve(trace), lightClients, windows);
                })
            .toList();
    List<Double> differences = new ArrayList<>(windows.ticks());
    for (int tick = 0; tick < windows.ticks(); tick++) {
      int index = tick;
      differences.add(spread(scores, score -> score.differences().get(index)).median());
    }
    return new Summary(
        spread(scores, Score::maxDifference),
        spread(scores, Score::meanDifference),
        spread(scores, Score::tokensPerSecond),
        spread(scores, Score::lightMeanSeconds),
        spread(scores, Score::lightP99Seconds),
        differences,
        scores.getFirst().served());
  }

  private static Spread spread(List<Score> scores, ToDoubleFunction<Score> figure) {
    return Spread.of(scores.stream().mapToDouble(figure).boxed().toList());
  }
}
