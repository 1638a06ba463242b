package dev.rowhouse.bench.arena;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * How unequally clients were served, as the artifact of the paper measures it. At each tick and for
 * each client, over the window from the tick on: its service, the cost of its runs spread evenly
 * from first token to end, and its demand, the cost of what arrived, both per second. A client's
 * difference is what it lacks to the client served most, or to its own demand, whichever is less.
 *
 * <p>A client served beyond its demand, because it catches up, counts as different too. Refused
 * requests count neither as demand nor as service, so a limit that serves less looks fairer.
 */
public final class ServiceDifference {

  /**
   * When to look.
   *
   * @param traceSeconds the length of the trace
   * @param windowSeconds the length of the windows
   * @param warmUpSeconds not looked at
   * @param ticks windows, spread evenly
   */
  record Windows(double traceSeconds, double windowSeconds, double warmUpSeconds, int ticks) {

    /** As published: 600 s, windows of 60 s, 30 s of warm-up, 19 ticks. */
    static Windows published() {
      return new Windows(600, 60, 30, 19);
    }

    double tick(int index) {
      return (traceSeconds - warmUpSeconds) / (ticks + 1) * (index + 1);
    }

    double begin(int index) {
      return tick(index) - windowSeconds / 2 + warmUpSeconds;
    }

    double end(int index) {
      return tick(index) + windowSeconds / 2 + warmUpSeconds;
    }
  }

  private static final class Rates {
    double served;
    double demanded;
  }

  private ServiceDifference() {}

  /** Summed over clients, per tick, in weighted tokens per second. */
  static List<Double> perTick(List<Run> runs, Windows windows) {
    List<Double> differences = new ArrayList<>(windows.ticks());
    for (int tick = 0; tick < windows.ticks(); tick++) {
      double begin = windows.begin(tick);
      double end = windows.end(tick);
      TreeMap<String, Rates> clients = new TreeMap<>();
      for (Run run : runs) {
        if (!run.refused()) {
          Rates rates = clients.computeIfAbsent(run.client(), _ -> new Rates());
          double perSecond = run.request().cost() / windows.windowSeconds();
          double arrival = run.request().arrivalSeconds();
          rates.demanded += arrival >= begin && arrival <= end ? perSecond : 0;
          rates.served += perSecond * shareWithin(run, begin, end);
        }
      }
      double most = clients.values().stream().mapToDouble(rates -> rates.served).max().orElse(0);
      differences.add(
          clients.values().stream()
              .mapToDouble(
                  rates -> Math.min(most - rates.served, Math.abs(rates.demanded - rates.served)))
              .sum());
    }
    return differences;
  }

  /** Which part of the time from first token to end is in the window. An instant has none. */
  private static double shareWithin(Run run, double begin, double end) {
    double length = run.endSeconds() - run.firstTokenSeconds();
    double overlap = Math.min(end, run.endSeconds()) - Math.max(begin, run.firstTokenSeconds());
    return length < 1e-5 ? 0 : Math.max(0, overlap) / length;
  }
}
