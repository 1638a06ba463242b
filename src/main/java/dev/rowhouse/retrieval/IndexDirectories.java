package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directories of this node's indexes, {@code index/<tenant>/<store>} below its data directory,
 * and who uses them.
 *
 * <p>A tenant that has moved to another node leaves its directory behind. It stays for a time, in
 * case the tenant comes back, and is removed then; at once when the tenant has no stores any more,
 * because the texts in it are in clear. What was removed too early is only built anew. When a
 * directory was last used is its own time of modification: it is set when an index in it is opened
 * and when one is closed. One that is in use is never removed, whatever its time.
 */
public final class IndexDirectories {
  private static final Logger LOG = LoggerFactory.getLogger(IndexDirectories.class);

  /** A directory has this name while it is removed, which a tenant cannot have. */
  private static final String REMOVED = ".removed";

  private final Path root;
  private final RetrievalSettings.Index settings;
  private final InstantSource clock;
  private final Predicate<TenantId> hasStores;

  /** How often each is in use; as many as tenants live here. */
  private final Map<TenantId, Integer> inUse = new ConcurrentHashMap<>();

  /** Where the last sweep ended. Only sweeps touch it, and they run one after the other. */
  private String sweptTo = "";

  IndexDirectories(
      Path root,
      RetrievalSettings.Index settings,
      InstantSource clock,
      Predicate<TenantId> hasStores) {
    this.root = root;
    this.settings = settings;
    this.clock = clock;
    this.hasStores = hasStores;
  }

  /**
   * Those of a node, swept as long as the system runs.
   *
   * @param config {@code rowhouse.retrieval}
   */
  public static IndexDirectories start(
      ActorSystem<?> system,
      Storage storage,
      Executor blocking,
      InstantSource clock,
      Config config,
      Path dataDirectory) {
    RetrievalSettings.Index settings = RetrievalSettings.from(config).index();
    IndexDirectories directories =
        new IndexDirectories(
            dataDirectory.resolve("index"),
            settings,
            clock,
            tenant -> DocumentStore.hasStores(storage, tenant));
    AtomicBoolean sweeps = new AtomicBoolean();
    system
        .scheduler()
        .scheduleWithFixedDelay(
            settings.sweepEvery(),
            settings.sweepEvery(),
            () -> {
              if (sweeps.compareAndSet(false, true)) {
                blocking.execute(
                    () -> {
                      try {
                        directories.sweepOrWarn();
                      } finally {
                        sweeps.set(false);
                      }
                    });
              }
            },
            system.executionContext());
    return directories;
  }

  Path of(TenantId tenant) {
    return root.resolve(tenant.value());
  }

  /** From now on the tenant's directory is in use, until {@link #leave}. */
  Path enter(TenantId tenant) {
    inUse.merge(tenant, 1, Integer::sum);
    return of(tenant);
  }

  void leave(TenantId tenant) {
    inUse.computeIfPresent(tenant, (_, times) -> times == 1 ? null : times - 1);
  }

  /** Notes that a tenant's directory was used. It is a hint, so that a failure is none. */
  static void used(Path directory, Instant now) {
    try {
      Files.setLastModifiedTime(directory, FileTime.from(now));
    } catch (IOException e) {
      LOG.debug("the time of {} is not set", directory, e);
    }
  }

  private void sweepOrWarn() {
    try {
      sweep();
    } catch (IOException | UncheckedIOException | StorageFailure | JournalException e) {
      LOG.warn("indexes that nobody uses could not be removed; the next look comes", e);
    }
  }

  /** Looks at some directories, from where the last sweep ended; returns how many it removed. */
  int sweep() throws IOException {
    int looks = 0;
    int removed = 0;
    for (String name : names().tailSet(sweptTo, false)) {
      if (looks++ == settings.directoriesPerSweepMax()) {
        return removed;
      }
      sweptTo = name;
      removed += sweep(name) ? 1 : 0;
    }
    sweptTo = "";
    return removed;
  }

  private NavigableSet<String> names() throws IOException {
    if (!Files.isDirectory(root)) {
      return new TreeSet<>();
    }
    try (Stream<Path> inside = Files.list(root)) {
      return inside
          .map(path -> path.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private boolean sweep(String name) throws IOException {
    if (name.endsWith(REMOVED)) {
      // A crash has interrupted its removal.
      StoreIndex.deleteDirectory(root.resolve(name));
      return false;
    }
    if (!TenantId.isValid(name)) {
      return false;
    }
    TenantId tenant = new TenantId(name);
    if (inUse.containsKey(tenant)) {
      return false;
    }
    if (isUnused(tenant)) {
      return remove(tenant, "nobody has used it for " + settings.unusedAfter().toDays() + " days");
    }
    return !hasStores.test(tenant) && remove(tenant, "the tenant has no stores");
  }

  private boolean isUnused(TenantId tenant) throws IOException {
    return Files.getLastModifiedTime(of(tenant))
        .toInstant()
        .isBefore(clock.instant().minus(settings.unusedAfter()));
  }

  /** First out of the way, so that whoever begins to use it meanwhile begins with an empty one. */
  private boolean remove(TenantId tenant, String why) throws IOException {
    Path aside = root.resolve(tenant.value() + REMOVED);
    StoreIndex.deleteDirectory(aside);
    AtomicBoolean moved = new AtomicBoolean();
    inUse.compute(
        tenant,
        (_, times) -> {
          if (times == null) {
            move(of(tenant), aside);
            moved.set(true);
          }
          return times;
        });
    if (moved.get()) {
      StoreIndex.deleteDirectory(aside);
      LOG.info("the indexes of tenant {} on this node are removed: {}", tenant, why);
    }
    return moved.get();
  }

  private static void move(Path from, Path to) {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
