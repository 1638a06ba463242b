package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.HandClock;
import dev.rowhouse.journal.Database;
import dev.rowhouse.node.SmallDisk;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Searches while the disk of the indexes is full, and the storage, elsewhere, is not: what can be
 * answered is, what cannot is refused whole and for a while, and it heals by itself.
 */
class FullDiskTest {
  private static final int DISK_MIB = 2;
  private static final Duration PAUSE_MAX = Duration.ofSeconds(15);

  private final WordsEmbedder embedder = new WordsEmbedder();
  private final HandClock clock = new HandClock(TenantIndexContract.NOW);
  private SmallDisk disk;
  private RetrievalSettings settings;
  private Database database;
  private DocumentStore documents;
  private TenantIndex index;

  @BeforeEach
  void open(@TempDir Path directory) {
    disk = SmallDisk.at(directory.resolve("disk"), DISK_MIB);
    settings = TestConfig.settings(directory);
    database = TestConfig.database(directory);
    documents =
        DocumentStore.open(
            database, new TenantId("acme"), KeysFixture.keys(database, Runnable::run));
    index = newIndex();
    documents.stores().create("whole", "whole", Map.of(), null, clock.instant());
    documents.stores().create("behind", "behind", Map.of(), null, clock.instant());
    put("whole", "file-1", "apples are red");
    put("behind", "file-2", "apples are green");
    assertEquals(Set.of("file-1", "file-2"), found("whole", "behind"));
  }

  @AfterEach
  void close() {
    if (disk != null) {
      index.close().toCompletableFuture().join();
      database.close();
      disk.close();
    }
  }

  private TenantIndex newIndex() {
    return new TenantIndex(
        disk.directory().resolve("acme"),
        documents,
        embedder.model(),
        settings.index(),
        Runnable::run,
        clock);
  }

  private void put(String store, String file, String... texts) {
    TenantIndexContract.put(documents, embedder, store, file, texts);
  }

  private KnowledgeReply search(String... stores) {
    SearchOperation search =
        new SearchOperation(
            documents,
            new StoreOperations(documents.tenant(), documents, settings, clock),
            index,
            embedder,
            settings,
            Runnable::run,
            clock);
    return search
        .run(
            new KnowledgeEntity.Search(
                "apples", List.of(stores), 5, null, 0, TestInbox.<KnowledgeReply>create().getRef()))
        .toCompletableFuture()
        .join();
  }

  private Set<String> found(String... stores) {
    KnowledgeReply.Found found = assertInstanceOf(KnowledgeReply.Found.class, search(stores));
    return found.result().passages().stream().map(Passage::fileId).collect(Collectors.toSet());
  }

  private Duration refused(String... stores) {
    return Duration.ofMillis(
        assertInstanceOf(KnowledgeReply.Unavailable.class, search(stores)).retryAfterMillis());
  }

  @Test
  void refusesWhatNeedsAWriteAndAnswersWhatDoesNotUntilThereIsRoom() {
    disk.fill(0);
    put("behind", "file-3", "apples are yellow");
    assertTrue(refused("behind").isPositive());
    assertTrue(refused("whole", "behind").isPositive(), "a part is no answer");
    assertEquals(Set.of("file-1"), found("whole"));

    // Closed and opened again, as after some idle time.
    index.closeIdle(clock.instant().plusSeconds(1), Duration.ZERO);
    assertEquals(Set.of("file-1"), found("whole"));
    clock.pass(PAUSE_MAX);
    assertTrue(refused("behind").isPositive());

    disk.makeRoom();
    clock.pass(PAUSE_MAX);
    assertEquals(Set.of("file-1", "file-2", "file-3"), found("whole", "behind"));
  }

  @Test
  void answersWhereThereIsNothingToSearch() {
    index.close().toCompletableFuture().join();
    disk.fill(0);
    disk.takeNames();
    documents.stores().create("empty", "empty", Map.of(), null, clock.instant());
    assertEquals(Set.of(), found("empty"));
    disk.makeRoom();
  }

  @Test
  void triesAgainLessAndLessOften() {
    disk.fill(0);
    put("behind", "file-3", "apples are yellow");
    Duration first = refused("behind");
    assertEquals(settings.index().retryMin(), first);
    clock.pass(first.minusMillis(1));
    assertEquals(Duration.ofMillis(1), refused("behind"), "it does not try before that");
    clock.pass(Duration.ofMillis(1));
    assertEquals(first.multipliedBy(2), refused("behind"));
    for (int tries = 0; tries < 5; tries++) {
      clock.pass(PAUSE_MAX);
      Duration pause = refused("behind");
      assertTrue(pause.compareTo(settings.index().retryMax()) <= 0, "at most " + pause);
    }
    disk.makeRoom();
    clock.pass(PAUSE_MAX);
    assertEquals(Set.of("file-2", "file-3"), found("behind"));

    disk.fill(0);
    put("behind", "file-4", "apples are blue");
    assertEquals(first, refused("behind"), "from the beginning again");
  }

  @Test
  void throwsNoWholeCopyAwayThatItCannotOpen() throws Exception {
    index.close().toCompletableFuture().join();
    Path copy = disk.directory().resolve("acme").resolve("whole");
    Files.delete(copy.resolve("write.lock"));
    disk.fill(0);
    disk.takeNames();
    index = newIndex();
    assertTrue(refused("whole").isPositive());
    disk.makeRoom();
    try (Stream<Path> files = Files.list(copy)) {
      assertTrue(
          files.anyMatch(file -> file.getFileName().toString().startsWith("segments")),
          "the copy is still there");
    }
    clock.pass(PAUSE_MAX);
    assertEquals(Set.of("file-1"), found("whole"));
  }

  @Test
  void cannotMakeAFirstCopyEither() {
    index.close().toCompletableFuture().join();
    disk.fill(0);
    disk.takeNames();
    documents.stores().create("new", "new", Map.of(), null, clock.instant());
    put("new", "file-9", "apples are rare");
    assertTrue(refused("new").isPositive());
    assertThrows(CompletionException.class, () -> index.ready("new").join());
    disk.makeRoom();
    clock.pass(PAUSE_MAX);
    assertEquals(Set.of("file-9"), found("new"));
  }
}
