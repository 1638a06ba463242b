package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.HandClock;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IndexDirectoriesTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final int LOOKS = 3;

  private final HandClock clock = new HandClock(TenantIndexContract.NOW);
  private final Set<TenantId> withoutStores = ConcurrentHashMap.newKeySet();
  private Path root;
  private RetrievalSettings.Index settings;
  private IndexDirectories directories;

  @BeforeEach
  void open(@TempDir Path directory) {
    root = directory.resolve("index");
    settings =
        RetrievalSettings.from(
                ConfigFactory.parseString("index.directories-per-sweep-max = " + LOOKS)
                    .withFallback(TestConfig.of(directory).getConfig("rowhouse.retrieval")))
            .index();
    directories =
        new IndexDirectories(root, settings, clock, tenant -> !withoutStores.contains(tenant));
  }

  /** An index of a tenant that was used now. */
  private TenantId made(String name) throws IOException {
    TenantId tenant = new TenantId(name);
    Path store = Files.createDirectories(directories.of(tenant).resolve("default"));
    Files.writeString(store.resolve("segments_1"), "an index");
    IndexDirectories.used(directories.of(tenant), clock.instant());
    return tenant;
  }

  private Set<String> left() throws IOException {
    try (Stream<Path> inside = Files.list(root)) {
      return inside.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void removesWhatNobodyHasUsedForATime() throws IOException {
    made("acme");
    clock.pass(settings.unusedAfter());
    made("bravo");
    assertEquals(0, directories.sweep());
    clock.pass(SECOND);
    assertEquals(1, directories.sweep());
    assertEquals(Set.of("bravo"), left());
  }

  @Test
  void removesNothingThatIsInUseHoweverOldItIs() throws IOException {
    TenantId acme = made("acme");
    withoutStores.add(acme);
    assertEquals(root.resolve("acme"), directories.enter(acme));
    directories.enter(acme);
    clock.pass(settings.unusedAfter().multipliedBy(2));
    assertEquals(0, directories.sweep());
    directories.leave(acme);
    assertEquals(0, directories.sweep(), "somebody else still uses it");
    directories.leave(acme);
    assertEquals(1, directories.sweep());
    assertEquals(Set.of(), left());
  }

  @Test
  void removesAtOnceWhatBelongsToNoStoreAnyMore() throws IOException {
    withoutStores.add(made("acme"));
    made("bravo");
    assertEquals(1, directories.sweep());
    assertEquals(Set.of("bravo"), left());
  }

  @Test
  void endsARemovalThatACrashInterrupted() throws IOException {
    made("acme");
    Files.createDirectories(root.resolve("acme.removed").resolve("default"));
    Files.createDirectories(root.resolve("bravo.removed"));
    assertEquals(0, directories.sweep());
    assertEquals(Set.of("acme"), left());
  }

  @Test
  void leavesAloneWhatIsNoTenants() throws IOException {
    Files.createDirectories(root.resolve("lost+found"));
    clock.pass(settings.unusedAfter().multipliedBy(2));
    assertEquals(0, directories.sweep());
    assertEquals(Set.of("lost+found"), left());
  }

  @Test
  void looksAtSoManyAtATimeAndAtAllInTurn() throws IOException {
    for (int i = 0; i < 2 * LOOKS; i++) {
      made("used-" + i);
    }
    TenantId last = made("z-last");
    withoutStores.add(last);
    assertEquals(0, directories.sweep());
    assertEquals(0, directories.sweep());
    assertEquals(1, directories.sweep());
    assertFalse(Files.exists(directories.of(last)));
    withoutStores.add(new TenantId("used-0"));
    assertEquals(1, directories.sweep(), "it begins again");
  }

  @Test
  void findsNothingWhereNoIndexWasEverMade() throws IOException {
    assertEquals(0, directories.sweep());
  }

  @Test
  void neverTakesADirectoryFromWhoHasJustBegunToUseIt() throws Exception {
    TenantId acme = new TenantId("acme");
    withoutStores.add(acme);
    AtomicBoolean ended = new AtomicBoolean();
    CountDownLatch started = new CountDownLatch(1);
    Thread sweeper =
        Thread.ofPlatform()
            .start(
                () -> {
                  started.countDown();
                  while (!ended.get()) {
                    try {
                      directories.sweep();
                    } catch (IOException | UncheckedIOException e) {
                      // The other one makes and removes what this one looks at.
                    }
                  }
                });
    started.await();
    for (int i = 0; i < 200; i++) {
      Path mine = directories.enter(acme);
      Path file = Files.createDirectories(mine.resolve("default")).resolve("segments_1");
      Files.writeString(file, "an index");
      Thread.onSpinWait();
      assertTrue(Files.exists(file), "round " + i);
      directories.leave(acme);
    }
    ended.set(true);
    sweeper.join();
  }
}
