package dev.rowhouse.retrieval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
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
import org.apache.lucene.store.AlreadyClosedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indexes of one tenant, a directory for each store, opened when used and closed when idle.
 *
 * <p>What happens to one store's index happens in order, each step after the one before on the
 * given executor, so nothing waits with a thread in its hand. Every reader that comes out of {@link
 * #ready} has seen at least what was committed when it was asked for.
 *
 * <p>When the disk refuses an index, as when it is full, the store's searches fail for a while that
 * doubles with each try, at once and without a try of their own. Of a store whose index is not
 * behind, nothing has to be written, and its searches go on.
 */
final class TenantIndex {
  private static final Logger LOG = LoggerFactory.getLogger(TenantIndex.class);

  private final Path root;
  private final DocumentStore documents;
  private final String model;
  private final RetrievalSettings.Index settings;
  private final Executor blocking;
  private final InstantSource clock;
  private final Map<String, Slot> slots = new HashMap<>();

  /** One store's place: its index while open, and the last step that was ordered. */
  private static final class Slot {
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);
    private Instant lastUsed = Instant.EPOCH;
    // Only steps touch these, and they run one after the other.
    private volatile @Nullable StoreIndex index;
    private volatile Instant retryAt = Instant.EPOCH;
    private volatile Duration pause = Duration.ZERO;
  }

  /**
   * @param root the tenant's own directory
   * @param model the embedding model
   */
  TenantIndex(
      Path root,
      DocumentStore documents,
      String model,
      RetrievalSettings.Index settings,
      Executor blocking,
      InstantSource clock) {
    this.root = root;
    this.documents = documents;
    this.model = model;
    this.settings = settings;
    this.blocking = blocking;
    this.clock = clock;
  }

  /**
   * A reader that has seen all that is committed; whoever gets it gives it back with decRef. Fails
   * with {@link IndexFailure} when the disk does not let it.
   *
   * @return null when nothing was ever completed in the store: for that the disk is left alone
   */
  CompletableFuture<@Nullable DirectoryReader> ready(String store) {
    return this.<@Nullable DirectoryReader>step(
        store,
        clock.instant(),
        slot -> {
          Instant now = clock.instant();
          if (now.isBefore(slot.retryAt)) {
            throw new IndexFailure(store, Duration.between(now, slot.retryAt), null);
          }
          try {
            StoreIndex index = slot.index;
            if (index == null && isUntouched(store)) {
              return null;
            }
            if (index == null) {
              index = StoreIndex.open(root.resolve(store), store);
              slot.index = index;
              IndexDirectories.used(root, clock.instant());
            }
            index.catchUp(documents, model);
            slot.pause = Duration.ZERO;
            return index.acquire();
          } catch (IOException | AlreadyClosedException e) {
            // The next try opens the directory again, and a broken one is replaced.
            closeQuietly(slot);
            throw putOff(slot, store, e);
          } catch (RuntimeException e) {
            closeQuietly(slot);
            throw new StorageFailure("the index of store " + store + " failed", e);
          }
        });
  }

  private boolean isUntouched(String store) {
    StoreTable.Version version = documents.stores().version(store);
    return version != null && version.sequence() == 0;
  }

  private IndexFailure putOff(Slot slot, String store, Exception failure) {
    Duration twice = slot.pause.multipliedBy(2);
    Duration least = twice.compareTo(settings.retryMin()) < 0 ? settings.retryMin() : twice;
    slot.pause = least.compareTo(settings.retryMax()) > 0 ? settings.retryMax() : least;
    slot.retryAt = clock.instant().plus(slot.pause);
    LOG.warn(
        "the index of store {} cannot be written or read, its searches are refused for {} ms: {}",
        store,
        slot.pause.toMillis(),
        String.valueOf(failure.getCause() == null ? failure : failure.getCause()));
    return new IndexFailure(store, slot.pause, failure);
  }

  /** Closes what nobody has used for so long. */
  void closeIdle(Instant now, Duration idle) {
    List<String> stores = new ArrayList<>();
    synchronized (slots) {
      slots
          .entrySet()
          .removeIf(
              entry -> {
                Slot slot = entry.getValue();
                boolean failing = !slot.pause.isZero() && !slot.lastUsed.plus(idle).isBefore(now);
                return slot.index == null && slot.last.isDone() && !failing;
              });
      slots.forEach(
          (store, slot) -> {
            if (slot.lastUsed.plus(idle).isBefore(now)) {
              stores.add(store);
            }
          });
    }
    for (String store : stores) {
      var _ = step(store, Instant.EPOCH, this::closeNow);
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
      closing.add(step(store, Instant.EPOCH, this::closeNow));
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

  private <T extends @Nullable Object> CompletableFuture<T> step(
      String store, Instant now, Function<Slot, T> work) {
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

  private boolean closeNow(Slot slot) {
    StoreIndex index = slot.index;
    slot.index = null;
    if (index != null) {
      IndexDirectories.used(root, clock.instant());
      index.close();
    }
    return index != null;
  }

  private void closeQuietly(Slot slot) {
    try {
      closeNow(slot);
    } catch (RuntimeException e) {
      LOG.warn("an index did not close", e);
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
