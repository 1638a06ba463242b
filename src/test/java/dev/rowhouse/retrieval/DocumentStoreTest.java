package dev.rowhouse.retrieval;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentStoreTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final long BYTES_MAX = 1_000;

  private final Database database;
  private final Path directory;
  private final DocumentStore acme;
  private final DocumentStore globex;

  DocumentStoreTest(@TempDir Path directory) {
    this.directory = directory;
    this.database = TestConfig.database(directory);
    this.acme =
        new DocumentStore(
            database, new TenantId("acme"), KeysFixture.keys(database, Runnable::run));
    this.globex =
        new DocumentStore(
            database, new TenantId("globex"), KeysFixture.keys(database, Runnable::run));
  }

  @BeforeEach
  void makeStores() {
    for (DocumentStore documents : List.of(acme, globex)) {
      documents.stores().create("default", "default", Map.of(), null, NOW);
    }
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static void upload(DocumentStore documents, String id, String text, Instant at) {
    documents.files().begin(id, id + ".txt", "assistants", at);
    documents.files().append(id, 0, text.getBytes(UTF_8), BYTES_MAX);
    assertTrue(documents.files().finish(id, 1));
  }

  private static void complete(DocumentStore documents, String store, String file) {
    documents.storeFiles().attach(store, file, Map.of("n", 1L), ChunkingStrategy.AUTO, NOW);
    assertTrue(documents.chunks().add(store, file, List.of(embedded(0, "text of " + file))));
    assertTrue(documents.storeFiles().complete(store, file, 10));
  }

  private static ChunkTable.Embedded embedded(int ordinal, String text) {
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
        new UnfinishedUploads(database, () -> NOW.plusSeconds(61), Duration.ofMinutes(1), 1);
    assertEquals(List.of(1, 1, 0), List.of(uploads.sweep(), uploads.sweep(), uploads.sweep()));
    for (DocumentStore documents : List.of(acme, globex)) {
      assertFalse(documents.files().exists("half"));
      assertTrue(documents.files().exists("young"));
      assertPresent(documents.files().get("whole"));
    }
    long pieces =
        Sql.transaction(
            database,
            sql -> sql.number("SELECT COUNT(*) FROM knowledge_pieces WHERE file_id = ?", "half"));
    assertEquals(0, pieces);
  }

  private static <T> T assertPresent(@Nullable T value) {
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
  void isThereAfterTheDatabaseWasClosed() {
    upload(acme, "file-1", "durable", NOW);
    complete(acme, "default", "file-1");
    database.close();
    try (Database again = TestConfig.database(directory)) {
      DocumentStore reopened =
          new DocumentStore(again, new TenantId("acme"), KeysFixture.keys(again, Runnable::run));
      assertEquals(1, reopened.chunks().read("default", "file-1", 0, 10).size());
    }
  }
}
