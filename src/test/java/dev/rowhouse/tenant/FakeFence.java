package dev.rowhouse.tenant;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** A fence in memory; it can be made to fail or to wait, and others can claim. */
final class FakeFence implements WriteFence {
  private final Map<String, Long> numbers = new ConcurrentHashMap<>();
  volatile boolean isAway;

  /** Answers come when this is complete. */
  volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);

  @Override
  public CompletionStage<Long> claim(String name) {
    return isAway
        ? CompletableFuture.failedFuture(new IllegalStateException("away"))
        : gate.thenApply(_ -> numbers.merge(name, 1L, Long::sum));
  }

  @Override
  public CompletionStage<Boolean> isLatest(String name, long number) {
    return isAway
        ? CompletableFuture.failedFuture(new IllegalStateException("away"))
        : gate.thenApply(_ -> numbers.getOrDefault(name, 0L) == number);
  }

  long claims(String name) {
    return numbers.getOrDefault(name, 0L);
  }
}
