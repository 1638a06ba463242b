package dev.rowhouse.retrieval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The indexes of one tenant, a directory for each store, opened when used and closed when idle.
 *
 * <p>What happens to one store's index happens in order, each step after the one before on the
 * given executor, so nothing waits with a thread in its hand. Every reader that comes out of {@link
 * #ready} has seen at least what was committed when it was asked for.
 */
final class TenantIndex {
  private final Path root;
  private final DocumentStore documents;
  private final String model;
  private final Executor blocking;
  private final Map<String, Slot> slots = new HashMap<>();

  /** One store's place: its index while open, and the last step that was ordered. */
  private static final class Slot {
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);
    private Instant lastUsed = Instant.EPOCH;
    // Only steps touch it, and they run one after the other.
    private volatile @Nullable StoreIndex index;
  }

  /**
   * @param root the tenant's own directory
   * @param model the embedding model
   */
  TenantIndex(Path root, DocumentStore documents, String model, Executor blocking) {
    this.root = root;
    this.documents = documents;
    this.model = model;
    this.blocking = blocking;
  }

  /** A reader that has seen all that is committed; whoever gets it gives it back with decRef. */
  CompletableFuture<DirectoryReader> ready(String store, Instant now) {
    return step(
        store,
        now,
        slot -> {
          try {
            StoreIndex index = slot.index;
            if (index == null) {
              index = StoreIndex.open(root.resolve(store), store);
              slot.index = index;
            }
            index.catchUp(documents, model);
            return index.acquire();
          } catch (IOException | RuntimeException e) {
            // Whatever broke: the next use opens the directory again, and a broken one is replaced.
            closeQuietly(slot);
            throw new StorageFailure("the index of store " + store + " failed", e);
          }
        });
  }

  /** Closes what nobody has used for so long. */
  void closeIdle(Instant now, Duration idle) {
    List<String> stores = new ArrayList<>();
    synchronized (slots) {
      slots
          .entrySet()
          .removeIf(entry -> entry.getValue().index == null && entry.getValue().last.isDone());
      slots.forEach(
          (store, slot) -> {
            if (slot.lastUsed.plus(idle).isBefore(now)) {
              stores.add(store);
            }
          });
    }
    for (String store : stores) {
      var _ = step(store, Instant.EPOCH, TenantIndex::closeNow);
    }
  }

  /** Closes the index of a store and removes its directory. */
  CompletionStage<?> drop(String store) {
    return step(
        store,
        Instant.EPOCH,
        slot -> {
          closeNow(slot);
          return deleteDirectory(root.resolve(store));
        });
  }

  /** Closes everything. */
  CompletionStage<?> close() {
    List<CompletableFuture<?>> closing = new ArrayList<>();
    for (String store : stores()) {
      closing.add(step(store, Instant.EPOCH, TenantIndex::closeNow));
    }
    return CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new));
  }

  /** Closes everything and removes the tenant's directory. */
  CompletionStage<?> erase() {
    return close().thenApplyAsync(ignored -> deleteDirectory(root), blocking);
  }

  private List<String> stores() {
    synchronized (slots) {
      return List.copyOf(slots.keySet());
    }
  }

  private <T> CompletableFuture<T> step(String store, Instant now, Function<Slot, T> work) {
    synchronized (slots) {
      Slot slot = slots.computeIfAbsent(store, ignored -> new Slot());
      if (now.isAfter(slot.lastUsed)) {
        slot.lastUsed = now;
      }
      Supplier<T> run = () -> work.apply(slot);
      CompletableFuture<T> next =
          slot.last.handle((done, failed) -> run).thenApplyAsync(Supplier::get, blocking);
      slot.last = next;
      return next;
    }
  }

  private static boolean closeNow(Slot slot) {
    StoreIndex index = slot.index;
    slot.index = null;
    if (index != null) {
      index.close();
    }
    return index != null;
  }

  private static void closeQuietly(Slot slot) {
    try {
      closeNow(slot);
    } catch (RuntimeException e) {
      LoggerFactory.getLogger(TenantIndex.class).warn("an index did not close", e);
    }
  }

  private static Path deleteDirectory(Path path) {
    try {
      StoreIndex.deleteDirectory(path);
      return path;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove an index", e);
    }
  }
}
