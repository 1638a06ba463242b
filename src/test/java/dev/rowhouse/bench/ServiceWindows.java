package dev.rowhouse.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * How unequally tenants were served over time: the service difference of Sheng et al., "Fairness in
 * Serving Large Language Models", OSDI 2024, as the paper's artifact computes it. At each tick,
 * over the window from the tick on, a tenant has a service (the cost of its answers, spread evenly
 * from the first token to the end) and a demand (the cost of what arrived), both per second. It
 * lacks what it has less than the tenant served most, but not more than its service is away from
 * its demand; the difference is the sum over all tenants.
 */
final class ServiceWindows {
  private static final double TRACE_SECONDS = 600;
  private static final double WINDOW_SECONDS = 60;
  private static final double WARM_UP_SECONDS = 30;
  private static final int TICKS = 19;

  /** An answer of one token has no length over which to spread it. */
  private static final double LENGTH_SECONDS_MIN = 1e-5;

  private ServiceWindows() {}

  /** One answer on the clock of the trace. */
  record Answer(
      String tenant, double cost, double arrivalSeconds, double firstSeconds, double endSeconds) {

    double costWithin(double begin, double end) {
      double length = endSeconds - firstSeconds;
      double overlap = Math.min(end, endSeconds) - Math.max(begin, firstSeconds);
      return length < LENGTH_SECONDS_MIN ? 0 : cost * Math.max(0, overlap) / length;
    }
  }

  private static final class Rates {
    double served;
    double demanded;
  }

  /** When the ticks are, in seconds of the trace. */
  static double tickSeconds(int tick) {
    return (TRACE_SECONDS - WARM_UP_SECONDS) / (TICKS + 1) * (tick + 1);
  }

  /** The difference at each tick, in cost per second of the trace. */
  static List<Double> differences(List<Answer> answers) {
    List<Double> differences = new ArrayList<>(TICKS);
    for (int tick = 0; tick < TICKS; tick++) {
      double begin = tickSeconds(tick);
      double end = begin + WINDOW_SECONDS;
      TreeMap<String, Rates> tenants = new TreeMap<>();
      for (Answer answer : answers) {
        Rates rates = tenants.computeIfAbsent(answer.tenant(), _ -> new Rates());
        rates.served += answer.costWithin(begin, end) / WINDOW_SECONDS;
        if (answer.arrivalSeconds() >= begin && answer.arrivalSeconds() <= end) {
          rates.demanded += answer.cost() / WINDOW_SECONDS;
        }
      }
      double most = tenants.values().stream().mapToDouble(rates -> rates.served).max().orElse(0);
      differences.add(
          tenants.values().stream()
              .mapToDouble(
                  rates -> Math.min(most - rates.served, Math.abs(rates.demanded - rates.served)))
              .sum());
    }
    return differences;
  }
}
