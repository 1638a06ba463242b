package dev.rowhouse.tenant;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** A fence in memory; it can be made to fail, and others can claim. */
final class FakeFence implements WriteFence {
  private final Map<String, Long> numbers = new ConcurrentHashMap<>();
  volatile boolean isAway;

  @Override
  public CompletionStage<Long> claim(String name) {
    return isAway
        ? CompletableFuture.failedFuture(new IllegalStateException("away"))
        : CompletableFuture.completedFuture(numbers.merge(name, 1L, Long::sum));
  }

  @Override
  public CompletionStage<Boolean> isLatest(String name, long number) {
    return isAway
        ? CompletableFuture.failedFuture(new IllegalStateException("away"))
        : CompletableFuture.completedFuture(numbers.getOrDefault(name, 0L) == number);
  }

  long claims(String name) {
    return numbers.getOrDefault(name, 0L);
  }
}
