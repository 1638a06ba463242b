package dev.rowhouse.cluster;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How long it took until clients were served as before: from the strike to the end of the last
 * second whose p95 was beyond what is ordinary. An operation that failed is beyond it in any case.
 * Operations count in the second in which they began. Pure.
 */
final class Recovery {
  private static final long SECOND = 1_000;
  private static final double P95 = 0.95;

  /** So long without a slow second is served as before, and not a moment's luck. */
  private static final long CALM_MILLIS = 5_000;

  private Recovery() {}

  /** The p95 of operations that began in that time, in milliseconds; 0 when there were none. */
  static long p95(List<Operation> operations, long fromMillis, long toMillis) {
    return p95(
        operations.stream()
            .filter(one -> one.beganMillis() >= fromMillis && one.beganMillis() < toMillis)
            .toList());
  }

  private static long p95(List<Operation> operations) {
    List<Long> latencies = new ArrayList<>();
    operations.forEach(one -> latencies.add(one.succeeded() ? one.millis() : Long.MAX_VALUE));
    Collections.sort(latencies);
    return latencies.isEmpty() ? 0 : latencies.get((int) Math.floor(P95 * (latencies.size() - 1)));
  }

  /**
   * Seconds until it was as before without the node that was struck. When it never was, the time
   * goes on until it was with that node.
   *
   * @param returnedMillis when the node came back
   */
  static double secondsWithout(
      List<Operation> operations, long strikeMillis, long returnedMillis, long ordinaryMillis) {
    double without =
        seconds(
            operations.stream().filter(one -> one.beganMillis() < returnedMillis).toList(),
            strikeMillis,
            ordinaryMillis);
    return without * SECOND <= returnedMillis - strikeMillis - CALM_MILLIS
        ? without
        : seconds(operations, strikeMillis, ordinaryMillis);
  }

  /**
   * Seconds until it was as before.
   *
   * @param ordinaryMillis a p95 up to it is as before
   */
  static double seconds(List<Operation> operations, long strikeMillis, long ordinaryMillis) {
    Map<Long, List<Operation>> bySecond = new TreeMap<>();
    for (Operation one : operations) {
      if (one.beganMillis() >= strikeMillis) {
        bySecond
            .computeIfAbsent((one.beganMillis() - strikeMillis) / SECOND, _ -> new ArrayList<>())
            .add(one);
      }
    }
    double last = 0;
    for (Map.Entry<Long, List<Operation>> second : bySecond.entrySet()) {
      if (p95(second.getValue()) > ordinaryMillis) {
        last = second.getKey() + 1.0;
      }
    }
    return last;
  }
}
