package dev.rowhouse.inference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The keys of upstreams, by reference: {@code env:NAME} or {@code file:PATH}. A key is never
 * logged, never in a message to a client, and never in a record whose text could be printed.
 */
final class UpstreamKeys {
  /** More than any list of models; beyond it nothing is cached, and it still works. */
  private static final int CACHED_MAX = 1_000;

  /** Longer than any key; a wrong path to a big file is refused and not read. */
  private static final long FILE_BYTES_MAX = 16_384;

  private final Function<String, @Nullable String> environment;
  private final Executor blocking;
  private final Duration refresh;
  private final InstantSource clock;
  private final Map<String, Read> cached = new ConcurrentHashMap<>();

  private static final class Read {
    final String key;
    final Instant at;

    Read(String key, Instant at) {
      this.key = key;
      this.at = at;
    }
  }

  UpstreamKeys(
      Function<String, @Nullable String> environment,
      Executor blocking,
      Duration refresh,
      InstantSource clock) {
    this.environment = environment;
    this.blocking = blocking;
    this.refresh = refresh;
    this.clock = clock;
  }

  /** The key; empty when there is none, or when it cannot be read. */
  CompletionStage<String> key(String reference) {
    Instant now = clock.instant();
    Read known = cached.get(reference);
    if (known != null && now.isBefore(known.at.plus(refresh))) {
      return CompletableFuture.completedFuture(known.key);
    }
    if (reference.startsWith("env:")) {
      String value = environment.apply(reference.substring(4));
      return CompletableFuture.completedFuture(keep(reference, value == null ? "" : value, now));
    }
    if (reference.startsWith("file:")) {
      Path path = Path.of(reference.substring(5));
      return CompletableFuture.supplyAsync(() -> keep(reference, read(path), now), blocking);
    }
    return CompletableFuture.completedFuture("");
  }

  private static String read(Path path) {
    try {
      return Files.size(path) > FILE_BYTES_MAX ? "" : Files.readString(path);
    } catch (IOException e) {
      return "";
    }
  }

  private String keep(String reference, String value, Instant now) {
    String key = value.strip();
    boolean sendable = key.chars().allMatch(c -> c > 0x20 && c < 0x7f);
    if (key.isEmpty() || !sendable) {
      return "";
    }
    if (cached.size() < CACHED_MAX || cached.containsKey(reference)) {
      cached.put(reference, new Read(key, now));
    }
    return key;
  }
}
