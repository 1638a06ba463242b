package dev.rowhouse.serving;

import dev.rowhouse.tenant.BudgetMark;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * How many budgets of this node's tenants were nearly used up, since the node started: one number
 * for each kind of budget and each mark, whoever's budget it is.
 */
public final class BudgetMarks implements Consumer<BudgetMark> {
  /** What is counted together. */
  public record Kind(String limit, int percent) {}

  private final Map<Kind, LongAdder> counts = new ConcurrentHashMap<>();

  @Override
  public void accept(BudgetMark mark) {
    counts
        .computeIfAbsent(new Kind(mark.limit(), mark.percent()), _ -> new LongAdder())
        .increment();
  }

  public Map<Kind, Long> counts() {
    Map<Kind, Long> sums =
        new TreeMap<>(java.util.Comparator.comparing(Kind::limit).thenComparingInt(Kind::percent));
    counts.forEach((kind, count) -> sums.put(kind, count.sum()));
    return sums;
  }
}
