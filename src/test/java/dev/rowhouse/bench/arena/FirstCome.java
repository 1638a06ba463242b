package dev.rowhouse.bench.arena;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** First come, first served; on request each client may only send so many requests a minute. */
public final class FirstCome implements Admission {
  private static final double WINDOW_SECONDS = 60;

  private final int perMinute;
  private final Deque<Run> waiting = new ArrayDeque<>();
  private final Map<String, Deque<Double>> accepted = new HashMap<>();

  private FirstCome(int perMinute) {
    this.perMinute = perMinute;
  }

  public static FirstCome unlimited() {
    return new FirstCome(Integer.MAX_VALUE);
  }

  public static FirstCome perMinute(int requests) {
    return new FirstCome(requests);
  }

  @Override
  public boolean arrived(Run run, double nowSeconds) {
    Deque<Double> times = accepted.computeIfAbsent(run.client(), _ -> new ArrayDeque<>());
    while (!times.isEmpty() && nowSeconds - times.getFirst() > WINDOW_SECONDS) {
      times.removeFirst();
    }
    if (times.size() >= perMinute) {
      return false;
    }
    times.addLast(nowSeconds);
    waiting.addLast(run);
    return true;
  }

  @Override
  public @Nullable Run head(double nowSeconds) {
    return waiting.peekFirst();
  }

  @Override
  public void entered(Run run, double nowSeconds) {
    waiting.removeFirst();
  }
}
