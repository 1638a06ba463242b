package dev.rowhouse.retrieval;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the documents of a tenant promise on every storage. */
abstract class DocumentStoreContract {
  static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final long BYTES_MAX = 1_000;

  DocumentStore acme;
  DocumentStore globex;

  /** Has the tables, and no uploads of another test. */
  abstract Storage storage();

  /** The same, opened anew. */
  abstract Storage opened();

  /** A tenant that no other test has. */
  abstract TenantId tenant(String name);

  final DocumentStore documents(Storage storage, String name) {
    return DocumentStore.open(storage, tenant(name), KeysFixture.keys(storage, Runnable::run));
  }

  @BeforeEach
  void makeStores() {
    acme = documents(storage(), "acme");
    globex = documents(storage(), "globex");
    for (DocumentStore documents : List.of(acme, globex)) {
      documents.stores().create("default", "default", Map.of(), null, NOW);
    }
  }

  static void upload(DocumentStore documents, String id, String text, Instant at) {
    documents.files().begin(id, id + ".txt", "assistants", at);
    documents.files().append(id, 0, text.getBytes(UTF_8), BYTES_MAX);
    assertTrue(documents.files().finish(id, 1));
  }

  static void complete(DocumentStore documents, String store, String file) {
    documents.storeFiles().attach(store, file, Map.of("n", 1L), ChunkingStrategy.AUTO, NOW);
    assertTrue(documents.chunks().add(store, file, List.of(embedded(0, "text of " + file))));
    assertTrue(documents.storeFiles().complete(store, file, 10));
  }

  static ChunkTable.Embedded embedded(int ordinal, String text) {
    return new ChunkTable.Embedded(new Chunk(ordinal, "H", text, 0), new float[] {1, 0});
  }

  @Nested
  class AnUpload {
    @Test
    void isSeenOnlyWhenAllPiecesAreThere() {
      acme.files().begin("file-1", "a.txt", "assistants", NOW);
      acme.files().append("file-1", 1, new byte[] {3, 4}, BYTES_MAX);
      assertFalse(acme.files().finish("file-1", 2));
      assertNull(acme.files().get("file-1"));
      acme.files().append("file-1", 0, new byte[] {1, 2}, BYTES_MAX);
      assertTrue(acme.files().finish("file-1", 2));
      assertArrayEquals(new byte[] {1, 2, 3, 4}, acme.files().content("file-1"));
      assertEquals(4, assertPresent(acme.files().get("file-1")).sizeBytes());
    }

    @Test
    void takesAPieceTwiceAsOne() {
      acme.files().begin("file-1", "a.txt", "assistants", NOW);
      acme.files().begin("file-1", "a.txt", "assistants", NOW);
      for (int i = 0; i < 2; i++) {
        assertEquals(
            FileTable.Appended.STORED, acme.files().append("file-1", 0, new byte[] {1}, BYTES_MAX));
      }
      assertTrue(acme.files().finish("file-1", 1));
      assertTrue(acme.files().finish("file-1", 1));
      assertEquals(1, assertPresent(acme.files().get("file-1")).sizeBytes());
    }

    @Test
    void refusesWhatIsTooLargeOrUnknown() {
      acme.files().begin("file-1", "a.txt", "assistants", NOW);
      assertEquals(
          FileTable.Appended.TOO_LARGE,
          acme.files().append("file-1", 0, new byte[(int) BYTES_MAX + 1], BYTES_MAX));
      assertEquals(
          FileTable.Appended.UNKNOWN_UPLOAD,
          globex.files().append("file-1", 0, new byte[1], BYTES_MAX));
    }

    @Test
    void goesWhenNobodyFinishesIt() {
      acme.files().begin("file-1", "a.txt", "assistants", NOW);
      assertEquals(0, acme.files().deleteUploadsBefore(NOW));
      assertEquals(1, acme.files().deleteUploadsBefore(NOW.plusSeconds(1)));
      assertEquals(0, acme.files().held().files());
    }
  }

  @Test
  void unfinishedUploadsOfAllTenantsGoSomeAtATimeAndFilesStay() {
    for (DocumentStore documents : List.of(acme, globex)) {
      upload(documents, "whole", "text", NOW);
      documents.files().begin("half", "a.txt", "assistants", NOW);
      documents.files().append("half", 0, new byte[] {1}, BYTES_MAX);
      documents.files().begin("young", "a.txt", "assistants", NOW.plusSeconds(1));
    }
    UnfinishedUploads uploads =
        new UnfinishedUploads(storage(), () -> NOW.plusSeconds(61), Duration.ofMinutes(1), 1);
    assertEquals(List.of(1, 1, 0), List.of(uploads.sweep(), uploads.sweep(), uploads.sweep()));
    for (DocumentStore documents : List.of(acme, globex)) {
      assertFalse(documents.files().exists("half"));
      assertTrue(documents.files().exists("young"));
      assertPresent(documents.files().get("whole"));
    }
    assertEquals(0, acme.files().pieces("half"));
  }

  static <T> T assertPresent(@Nullable T value) {
    assertNotNull(value);
    return value;
  }

  @Test
  void pagesInBothOrdersEvenWithinOneInstant() {
    List<String> ids = Stream.of("a", "b", "c", "d", "e").toList();
    ids.forEach(id -> upload(acme, id, id, NOW));
    for (boolean ascending : new boolean[] {true, false}) {
      List<String> seen = new ArrayList<>();
      String after = null;
      boolean more = true;
      while (more) {
        Page<StoredFile> page =
            assertPresent(acme.files().list(new PageRequest(after, 2, ascending), null));
        page.items().forEach(file -> seen.add(file.id()));
        after = page.items().getLast().id();
        more = page.hasMore();
      }
      assertEquals(ascending ? ids : ids.reversed(), seen);
    }
    assertNull(acme.files().list(new PageRequest("nope", 2, true), null));
    assertEquals(
        0,
        assertPresent(acme.files().list(new PageRequest(null, 2, true), "batch")).items().size());
  }

  @Test
  void keepsTenantsApartUnderTheSameIds() {
    upload(acme, "file-1", "of acme", NOW);
    upload(globex, "file-1", "of globex", NOW);
    complete(acme, "default", "file-1");
    assertNull(globex.storeFiles().get("default", "file-1"));
    assertTrue(globex.chunks().read("default", "file-1", 0, 10).isEmpty());
    assertTrue(globex.files().delete("file-1"));
    assertEquals("of acme", new String(acme.files().content("file-1"), UTF_8));
    assertEquals(1, acme.chunks().read("default", "file-1", 0, 10).size());
  }

  @Test
  void numbersEachChangeOfAStore() {
    upload(acme, "file-1", "one", NOW);
    upload(acme, "file-2", "two", NOW);
    complete(acme, "default", "file-1");
    complete(acme, "default", "file-2");
    acme.storeFiles().detach("default", "file-1");
    assertEquals(
        List.of(
            new StoreTable.Change("file-2", 2, false), new StoreTable.Change("file-1", 3, true)),
        acme.stores().changes("default", 0, 10));
    assertEquals(3, assertPresent(acme.stores().version("default")).sequence());
    assertEquals(0, assertPresent(globex.stores().version("default")).sequence());
  }

  @Test
  void completesAFileOnceAndNeverAfterItWasTakenOut() {
    upload(acme, "file-1", "one", NOW);
    acme.storeFiles().attach("default", "file-1", Map.of(), ChunkingStrategy.AUTO, NOW);
    acme.storeFiles().detach("default", "file-1");
    assertFalse(acme.chunks().add("default", "file-1", List.of(embedded(0, "late"))));
    assertFalse(acme.storeFiles().complete("default", "file-1", 1));
  }

  @Test
  void attachesAgainOnlyWhatFailed() {
    upload(acme, "file-1", "one", NOW);
    complete(acme, "default", "file-1");
    acme.storeFiles().attach("default", "file-1", Map.of("n", 2L), ChunkingStrategy.AUTO, NOW);
    StoreFile same = assertPresent(acme.storeFiles().get("default", "file-1"));
    assertEquals(FileStatus.COMPLETED, same.status());
    assertEquals(1, ((Number) assertPresent(same.attributes().get("n"))).intValue());
    acme.storeFiles().detach("default", "file-1");
    acme.storeFiles().attach("default", "file-1", Map.of(), ChunkingStrategy.AUTO, NOW);
    acme.storeFiles().fail("default", "file-1", FileError.invalid("bad"));
    assertEquals(
        FileStatus.FAILED, assertPresent(acme.storeFiles().get("default", "file-1")).status());
    acme.storeFiles().attach("default", "file-1", Map.of(), ChunkingStrategy.AUTO, NOW);
    assertEquals(
        FileStatus.IN_PROGRESS, assertPresent(acme.storeFiles().get("default", "file-1")).status());
  }

  @Test
  void countsAndCancelsABatch() {
    upload(acme, "file-1", "one", NOW);
    upload(acme, "file-2", "two", NOW);
    complete(acme, "default", "file-1");
    acme.storeFiles().attach("default", "file-2", Map.of(), ChunkingStrategy.AUTO, NOW);
    acme.batches().create("vsfb_1", "default", List.of("file-1", "file-2", "file-2"), NOW);
    FileBatch running = assertPresent(acme.batches().get("vsfb_1", "default"));
    assertEquals(new FileCounts(1, 1, 0, 0), running.counts());
    assertEquals(FileStatus.IN_PROGRESS, running.status());
    acme.batches().cancel("vsfb_1", "default");
    FileBatch cancelled = assertPresent(acme.batches().get("vsfb_1", "default"));
    assertEquals(new FileCounts(0, 1, 0, 1), cancelled.counts());
    assertEquals(FileStatus.CANCELLED, cancelled.status());
    assertNull(globex.batches().get("vsfb_1", "default"));
    Page<StoreFile> completed =
        assertPresent(
            acme.storeFiles()
                .list("default", "vsfb_1", FileStatus.COMPLETED, new PageRequest(null, 10, true)));
    assertEquals(List.of("file-1"), completed.items().stream().map(StoreFile::fileId).toList());
  }

  @Test
  void deletesAFileFromItsStoresToo() {
    upload(acme, "file-1", "one", NOW);
    acme.stores().create("vs_1", "other", Map.of("k", "v"), 7, NOW);
    complete(acme, "default", "file-1");
    complete(acme, "vs_1", "file-1");
    VectorStore store = assertPresent(acme.stores().get("vs_1"));
    assertEquals(1, store.counts().completed());
    assertEquals(10, store.usageBytes());
    assertEquals(NOW.plusSeconds(7 * 86_400), store.expiresAt());
    assertTrue(acme.files().delete("file-1"));
    assertEquals(0, assertPresent(acme.stores().get("vs_1")).counts().total());
    assertTrue(acme.chunks().read("default", "file-1", 0, 10).isEmpty());
  }

  @Test
  void erasesOneTenantAndLeavesTheOther() {
    upload(acme, "file-1", "one", NOW);
    upload(globex, "file-1", "one", NOW);
    complete(acme, "default", "file-1");
    complete(globex, "default", "file-1");
    assertEquals(new DocumentStore.Removed(1, 1, 1), acme.erase());
    assertEquals(new DocumentStore.Removed(0, 0, 0), acme.erase());
    assertEquals(1, assertPresent(globex.stores().get("default")).counts().completed());
  }

  @Test
  void isThereWhenTheStorageIsOpenedAnew() {
    upload(acme, "file-1", "durable", NOW);
    complete(acme, "default", "file-1");
    try (Storage again = opened()) {
      DocumentStore reopened = documents(again, "acme");
      assertEquals(1, reopened.chunks().read("default", "file-1", 0, 10).size());
      assertEquals("durable", new String(reopened.files().content("file-1"), UTF_8));
    }
  }

  @Test
  void countsWhatATenantHas() {
    upload(acme, "file-1", "four", NOW);
    complete(acme, "default", "file-1");
    assertEquals(
        new DocumentStore.Holdings(1, 4, 1, 1), DocumentStore.holdings(storage(), acme.tenant()));
  }

  @Test
  void makesAFileAnewUnderTheIdOfADeletedOne() {
    upload(acme, "file-1", "old", NOW);
    complete(acme, "default", "file-1");
    assertTrue(acme.files().delete("file-1"));
    assertFalse(acme.files().delete("file-1"));
    upload(acme, "file-1", "new", NOW);
    assertEquals("new", new String(acme.files().content("file-1"), UTF_8));
    assertNull(acme.storeFiles().get("default", "file-1"));
  }

  @Test
  void makesAStoreAnewUnderTheIdOfADeletedOne() {
    upload(acme, "file-1", "one", NOW);
    acme.stores().create("vs_1", "first", Map.of(), null, NOW);
    complete(acme, "vs_1", "file-1");
    acme.batches().create("vsfb_1", "vs_1", List.of("file-1"), NOW);
    String old = assertPresent(acme.stores().version("vs_1")).incarnation();
    assertTrue(acme.stores().delete("vs_1"));
    assertFalse(acme.stores().delete("vs_1"));
    assertNull(acme.stores().get("vs_1"));
    acme.stores().create("vs_1", "second", Map.of(), null, NOW);
    StoreTable.Version version = assertPresent(acme.stores().version("vs_1"));
    assertFalse(version.incarnation().equals(old));
    assertEquals(0, version.sequence());
    assertEquals(0, assertPresent(acme.stores().get("vs_1")).counts().total());
    assertTrue(acme.chunks().read("vs_1", "file-1", 0, 10).isEmpty());
    assertNull(acme.batches().get("vsfb_1", "vs_1"));
    assertEquals(2, acme.stores().count());
  }

  @Test
  void startsAFileAgainThatWasCutDifferently() {
    upload(acme, "file-1", "one", NOW);
    acme.storeFiles().attach("default", "file-1", Map.of(), ChunkingStrategy.AUTO, NOW);
    assertTrue(acme.chunks().add("default", "file-1", List.of(embedded(0, "a"), embedded(1, "b"))));
    acme.chunks().clear("default", "file-1");
    assertTrue(acme.chunks().read("default", "file-1", 0, 10).isEmpty());
    assertTrue(acme.chunks().add("default", "file-1", List.of(embedded(0, "ab"))));
    assertTrue(acme.storeFiles().complete("default", "file-1", 7));
    assertEquals(
        List.of("ab"),
        acme.chunks().read("default", "file-1", 0, 10).stream()
            .map(embedded -> embedded.chunk().text())
            .toList());
    assertEquals(7, assertPresent(acme.stores().get("default")).usageBytes());
  }

  @Test
  void findsTheOldestThatWaitsInAnyStore() {
    acme.stores().create("vs_1", "other", Map.of(), null, NOW);
    for (String id : List.of("file-1", "file-2", "file-3")) {
      upload(acme, id, id, NOW);
    }
    acme.storeFiles()
        .attach("default", "file-2", Map.of(), ChunkingStrategy.AUTO, NOW.plusSeconds(2));
    acme.storeFiles().attach("vs_1", "file-1", Map.of(), ChunkingStrategy.AUTO, NOW.plusSeconds(1));
    acme.storeFiles()
        .attach(
            "default",
            List.of("file-2", "file-3"),
            Map.of(),
            ChunkingStrategy.AUTO,
            NOW.plusSeconds(3));
    assertEquals(3, acme.storeFiles().inProgressCount());
    assertEquals(0, globex.storeFiles().inProgressCount());
    assertEquals(
        List.of("file-1", "file-2", "file-3"),
        acme.storeFiles().inProgress(9).stream().map(StoreFile::fileId).toList());
    acme.storeFiles().cancel("vs_1", "file-1");
    assertEquals(
        List.of("file-2"),
        acme.storeFiles().inProgress(1).stream().map(StoreFile::fileId).toList());
    assertEquals(2, acme.storeFiles().countOf("default", List.of("file-1", "file-2", "file-3")));
    assertEquals("file-9", acme.files().firstMissing(List.of("file-1", "file-9")));
    assertNull(acme.files().firstMissing(List.of("file-1", "file-2")));
  }

  @Test
  void changesAndTouchesAStore() {
    acme.stores().update("default", "renamed", Map.of("k", "v"), 3);
    acme.stores().touch("default", NOW.plusSeconds(5));
    VectorStore store = assertPresent(acme.stores().get("default"));
    assertEquals("renamed", store.name());
    assertEquals(Map.of("k", "v"), store.metadata());
    assertEquals(NOW.plusSeconds(5 + 3 * 86_400), store.expiresAt());
    acme.stores().update("default", "renamed", Map.of(), null);
    assertNull(assertPresent(acme.stores().get("default")).expiresAt());
  }

  @Test
  void losesNoChangeWhenManyAreMadeAtOnce() throws Exception {
    List<String> ids = IntStream.range(0, 24).mapToObj(number -> "file-" + number).toList();
    ids.forEach(id -> upload(acme, id, id, NOW));
    try (ExecutorService pool = Executors.newFixedThreadPool(6)) {
      List<Future<?>> all = new ArrayList<>();
      for (String id : ids) {
        all.add(pool.submit(() -> complete(acme, "default", id)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertEquals(
        LongStream.rangeClosed(1, 24).boxed().toList(),
        acme.stores().changes("default", 0, 100).stream()
            .map(StoreTable.Change::sequence)
            .toList());
    VectorStore store = assertPresent(acme.stores().get("default"));
    assertEquals(24, store.counts().completed());
    assertEquals(240, store.usageBytes());
  }
}
