package dev.rowhouse.retrieval;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): an item's score is the sum
 * over the lists that have it of 1/(60 + rank), ranks from 1, here over the most that it can be.
 */
final class Fusion {
  private static final int K = 60;

  record Fused<T>(T item, double score) {}

  private Fusion() {}

  /** Best first; equals keep the order of the first list that has them. */
  static <T> List<Fused<T>> fuse(List<List<T>> rankings) {
    Map<T, Double> sums = new HashMap<>();
    Map<T, Integer> seen = new HashMap<>();
    for (List<T> ranking : rankings) {
      for (int rank = 1; rank <= ranking.size(); rank++) {
        T item = ranking.get(rank - 1);
        sums.merge(item, 1.0 / (K + rank), Double::sum);
        seen.putIfAbsent(item, seen.size());
      }
    }
    double most = rankings.size() / (K + 1.0);
    Comparator<Fused<T>> best = Comparator.comparingDouble(fused -> -fused.score());
    return sums.entrySet().stream()
        .map(entry -> new Fused<>(entry.getKey(), Math.min(1, entry.getValue() / most)))
        .sorted(best.thenComparing(fused -> seen.getOrDefault(fused.item(), 0)))
        .toList();
  }
}
