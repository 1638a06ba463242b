package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/** Times that requests waited, in milliseconds. */
final class Waits {
  private int[] values = new int[64];
  private int count;

  void add(long waitMillis) {
    if (count == values.length) {
      values = Arrays.copyOf(values, count * 2);
    }
    values[count] = (int) Math.min(Integer.MAX_VALUE, waitMillis);
    count++;
  }

  int count() {
    return count;
  }

  double mean() {
    return Arrays.stream(values, 0, count).average().orElse(0);
  }

  /** The value that the given part, 0 to 1, of all values does not exceed; 0 of none. */
  int quantile(double part) {
    int[] sorted = sorted();
    return count == 0 ? 0 : sorted[(int) Math.clamp(Math.ceil(part * count) - 1, 0.0, count - 1.0)];
  }

  private int[] sorted() {
    int[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    return sorted;
  }

  void add(ObjectNode node) {
    values = sorted();
    node.put("count", count)
        .put("mean_ms", Math.round(mean() * 10) / 10.0)
        .put("p50_ms", quantile(0.5))
        .put("p95_ms", quantile(0.95))
        .put("p99_ms", quantile(0.99))
        .put("max_ms", count == 0 ? 0 : values[count - 1]);
  }
}
