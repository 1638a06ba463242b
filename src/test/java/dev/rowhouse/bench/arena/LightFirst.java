package dev.rowhouse.bench.arena;

import java.util.Comparator;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * No policy but a bound: light clients go before all others, so none of their time to first token
 * is for fairness' sake. What is left is the wait until the pool has room.
 */
public final class LightFirst implements Admission {
  private static final Comparator<Run> BY_ARRIVAL =
      Comparator.comparingInt(run -> run.request().id());
  private static final Comparator<Run> BY_LENGTH =
      Comparator.<Run>comparingInt(
              run -> run.request().inputTokens() + run.request().outputTokens())
          .thenComparing(BY_ARRIVAL);

  private final TreeSet<Run> light;
  private final TreeSet<Run> heavy = new TreeSet<>(BY_ARRIVAL);
  private final Set<String> lightClients;

  /**
   * Nobody waits yet.
   *
   * @param shortestFirst whether light clients' requests go by their length, which takes an oracle,
   *     or by their arrival
   */
  public LightFirst(Set<String> lightClients, boolean shortestFirst) {
    this.lightClients = lightClients;
    this.light = new TreeSet<>(shortestFirst ? BY_LENGTH : BY_ARRIVAL);
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    return lightClients.contains(run.client()) ? light.add(run) : heavy.add(run);
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    return !light.isEmpty() ? light.first() : heavy.isEmpty() ? null : heavy.first();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    light.remove(run);
    heavy.remove(run);
  }
}
