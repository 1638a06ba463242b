package dev.rowhouse.retrieval;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.node.Await;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the indexes of a tenant promise on every storage. */
abstract class TenantIndexContract {
  static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  final WordsEmbedder embedder = new WordsEmbedder();
  final ExecutorService blocking = Executors.newFixedThreadPool(4);
  final Storage storage;
  private final Path root;
  private final Path otherRoot;
  private final DocumentStore documents;
  private TenantIndex index;

  TenantIndexContract(Path directory, Storage storage, TenantId tenant) {
    this.storage = storage;
    this.root = directory.resolve("index").resolve("acme");
    this.otherRoot = directory.resolve("other-node").resolve("acme");
    this.documents = DocumentStore.open(storage, tenant, KeysFixture.keys(storage, Runnable::run));
    this.index = index(root, embedder.model());
    documents.stores().create("default", "default", Map.of(), null, NOW);
    documents.stores().create("vs_2", "second", Map.of(), null, NOW);
  }

  @AfterEach
  void close() {
    index.close().toCompletableFuture().join();
    blocking.shutdown();
  }

  private void put(String store, String file, String... texts) {
    put(documents, embedder, store, file, texts);
  }

  /** A file that is completed in a store. */
  static void put(
      DocumentStore documents, Embedder embedder, String store, String file, String... texts) {
    documents.files().begin(file, file + ".txt", "assistants", NOW);
    documents.files().append(file, 0, String.join("\n", texts).getBytes(UTF_8), 1_000_000);
    documents.files().finish(file, 1);
    documents.storeFiles().attach(store, file, Map.of(), ChunkingStrategy.AUTO, NOW);
    List<ChunkTable.Embedded> chunks = new ArrayList<>();
    for (int i = 0; i < texts.length; i++) {
      chunks.add(
          new ChunkTable.Embedded(new Chunk(i, "", texts[i], 0), embedder.embedPassage(texts[i])));
    }
    assertTrue(documents.chunks().add(store, file, chunks));
    assertTrue(documents.storeFiles().complete(store, file, 1));
  }

  private List<String> search(String query, String... stores) throws IOException {
    return hits(query, null, stores).stream().map(HybridSearch.Hit::fileId).toList();
  }

  private List<HybridSearch.Hit> hits(
      String query, @Nullable List<HybridSearch.FileOf> files, String... stores)
      throws IOException {
    List<DirectoryReader> readers = new ArrayList<>();
    for (String store : stores) {
      DirectoryReader reader = index.ready(store).join();
      if (reader != null) {
        readers.add(reader);
      }
    }
    try {
      return HybridSearch.search(readers, query, embedder.embedQuery(query), files, 10);
    } finally {
      readers.forEach(SearchOperation::release);
    }
  }

  private TenantIndex index(Path directory, String model) {
    return new TenantIndex(
        directory, documents, model, TestConfig.settings(root).index(), blocking, () -> NOW);
  }

  private void reopen() {
    move(root);
  }

  /** As when the shard stops on one node and starts on the one that has this directory. */
  private void move(Path directory) {
    index.close().toCompletableFuture().join();
    index = index(directory, embedder.model());
  }

  private void assertHolds(String store, String... files) throws IOException {
    assertEquals(Set.of(files), Set.copyOf(search("apples", store)));
    DirectoryReader reader = index.ready(store).join();
    assertEquals(files.length, reader == null ? 0 : reader.numDocs());
    SearchOperation.release(reader);
  }

  @Test
  void findsWhatIsCompletedAndNothingElse() throws IOException {
    put("default", "file-1", "apples are red", "pears are green");
    put("default", "file-2", "the sea is blue");
    assertEquals("file-2", search("blue sea", "default").getFirst());
    documents.storeFiles().detach("default", "file-2");
    assertFalse(search("blue sea", "default").contains("file-2"));
  }

  @Test
  void goesOnAfterARestartFromItsOwnNumber() throws IOException {
    put("default", "file-1", "apples are red");
    assertEquals(List.of("file-1"), search("apples", "default"));
    reopen();
    put("default", "file-2", "apples are green");
    assertEquals(2, search("apples", "default").size());
    reopen();
    assertEquals(2, search("apples", "default").size());
  }

  @Test
  void makesNoDirectoryForAStoreThatNeverHadAFile() throws IOException {
    assertTrue(search("apples", "default").isEmpty());
    assertFalse(Files.exists(root));
  }

  @Test
  void isBuiltAnewWhenItsDirectoryIsGone() throws IOException {
    put("default", "file-1", "apples are red");
    search("apples", "default");
    index.close().toCompletableFuture().join();
    StoreIndex.deleteDirectory(root);
    reopen();
    assertEquals(List.of("file-1"), search("apples", "default"));
  }

  @Test
  void isBuiltAnewWhenItsDirectoryWasUnusedForTooLong() throws IOException {
    put("default", "file-1", "apples are red");
    search("apples", "default");
    index.close().toCompletableFuture().join();
    RetrievalSettings.Index settings = TestConfig.settings(root).index();
    Instant later = NOW.plus(settings.unusedAfter()).plusSeconds(1);
    Path all = Objects.requireNonNull(root.getParent());
    IndexDirectories directories = new IndexDirectories(all, settings, () -> later, _ -> true);
    assertEquals(1, directories.sweep());
    assertFalse(Files.exists(root));
    reopen();
    assertEquals(List.of("file-1"), search("apples", "default"));
  }

  @Test
  void isBuiltAnewWhenAFileOfItIsBroken() throws IOException {
    put("default", "file-1", "apples are red");
    search("apples", "default");
    index.close().toCompletableFuture().join();
    List<Path> files;
    try (Stream<Path> inside = Files.list(root.resolve("default"))) {
      files = inside.filter(path -> !path.getFileName().toString().equals("write.lock")).toList();
    }
    assertTrue(files.size() > 2);
    for (Path broken : files) {
      byte[] bytes = Files.readAllBytes(broken);
      byte[] flipped = bytes.clone();
      flipped[bytes.length / 2] ^= 0x55;
      Files.write(broken, flipped);
      reopen();
      assertEquals(List.of("file-1"), search("apples", "default"), "with a flipped " + broken);
      index.close().toCompletableFuture().join();
      try (Stream<Path> inside = Files.list(root.resolve("default"))) {
        files = inside.toList();
      }
    }
  }

  @Test
  void isBuiltAnewForAStoreThatWasMadeAgain() throws IOException {
    put("default", "file-1", "apples are red");
    search("apples", "default");
    documents.erase();
    documents.stores().create("default", "default", Map.of(), null, NOW);
    put("default", "file-9", "apples are blue");
    assertEquals(List.of("file-9"), search("apples", "default"));
  }

  @Test
  void isBuiltAnewForAnotherModel() throws IOException {
    put("default", "file-1", "apples are red");
    search("apples", "default");
    index.close().toCompletableFuture().join();
    index = index(root, "another");
    assertEquals(List.of("file-1"), search("apples", "default"));
  }

  @Test
  void comparesScoresOverSeveralStores() throws IOException {
    put("default", "file-1", "apples and pears and plums", "apples", "cars drive");
    put("vs_2", "file-2", "only cars drive fast on roads");
    List<HybridSearch.Hit> hits = hits("fast roads", null, "default", "vs_2");
    assertEquals("file-2", hits.getFirst().fileId());
    assertEquals("vs_2", hits.getFirst().storeId());
    assertTrue(hits.getFirst().score() <= 1 && hits.getFirst().score() > 0.9);
    assertTrue(hits.getLast().similarity() >= 0);
  }

  @Test
  void searchesOnlyTheFilesOfAFilter() throws IOException {
    put("default", "file-1", "apples are red");
    put("default", "file-2", "apples are green");
    List<HybridSearch.FileOf> only = List.of(new HybridSearch.FileOf("default", "file-2"));
    assertEquals(1, hits("apples red", only, "default").size());
    assertTrue(hits("apples red", List.of(), "default").isEmpty());
    assertTrue(search("the of", "vs_2").isEmpty());
  }

  @Test
  void aSearchHoldsItsReaderNoLongerThanItLasts() throws IOException {
    put("default", "file-1", "apples are red");
    DirectoryReader reader = Objects.requireNonNull(index.ready("default").join());
    int holders = reader.getRefCount();
    assertEquals(List.of("file-1"), search("apples", "default"));
    assertTrue(hits("apples", List.of(), "default").isEmpty());
    assertEquals(holders, reader.getRefCount());
    SearchOperation.release(reader);
  }

  @Test
  void closesWhatIsIdleAndOpensItAgain() throws IOException {
    put("default", "file-1", "apples are red");
    DirectoryReader reader = Objects.requireNonNull(index.ready("default").join());
    index.closeIdle(NOW.plusSeconds(61), Duration.ofSeconds(60));
    assertEquals(1, reader.numDocs());
    SearchOperation.release(reader);
    assertEquals(List.of("file-1"), search("apples", "default"));
  }

  @Test
  void leavesNoDirectoryAfterADropOrAnErasure() throws IOException {
    put("default", "file-1", "apples are red");
    put("vs_2", "file-2", "apples are green");
    search("apples", "default", "vs_2");
    index.drop("vs_2").toCompletableFuture().join();
    assertFalse(Files.exists(root.resolve("vs_2")));
    assertTrue(Files.exists(root.resolve("default")));
    index.erase().toCompletableFuture().join();
    assertFalse(Files.exists(root));
  }

  @Test
  void servesManyReadersWhileFilesCome() {
    List<CompletableFuture<Integer>> counts = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      put("default", "file-" + i, "apples number " + i);
      int least = i + 1;
      counts.add(
          index
              .ready("default")
              .thenApply(
                  reader -> {
                    int documentsSeen = Objects.requireNonNull(reader).numDocs();
                    SearchOperation.release(reader);
                    return documentsSeen >= least ? 1 : 0;
                  }));
    }
    assertEquals(30, counts.stream().mapToInt(CompletableFuture::join).sum());
  }

  @Test
  void followsItsTenantToAnotherNodeAndBack() throws IOException {
    put("default", "file-1", "apples are red");
    put("default", "file-2", "apples are green");
    put("vs_2", "file-2", "apples are green");
    assertHolds("default", "file-1", "file-2");
    assertHolds("vs_2", "file-2");

    move(otherRoot);
    assertHolds("default", "file-1", "file-2");
    put("default", "file-3", "apples are yellow");
    assertTrue(documents.files().delete("file-1"));
    assertHolds("default", "file-2", "file-3");
    documents.stores().delete("vs_2");
    documents.stores().create("vs_2", "second again", Map.of(), null, NOW);

    // The first node's copy is behind, of both stores: a deleted file, and one that is gone.
    move(root);
    assertHolds("default", "file-2", "file-3");
    assertHolds("vs_2");

    documents.storeFiles().detach("default", "file-3");
    put("vs_2", "file-4", "apples are blue");
    move(otherRoot);
    assertHolds("default", "file-2");
    assertHolds("vs_2", "file-4");
  }

  @Test
  void refusesASearchWhileItIsBehindInsteadOfAnsweringWithAPart() {
    put("default", "file-1", "apples are red");
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    TenantIndex behind =
        new TenantIndex(
            otherRoot,
            documents,
            embedder.model(),
            TestConfig.settings(root).index(),
            held::add,
            () -> NOW);
    RetrievalSettings settings =
        RetrievalSettings.from(
            ConfigFactory.parseString("search.catch-up-timeout = 50ms")
                .withFallback(TestConfig.of(root).getConfig("rowhouse.retrieval")));
    SearchOperation search =
        new SearchOperation(
            documents,
            new StoreOperations(documents.tenant(), documents, settings, () -> NOW),
            behind,
            embedder,
            settings,
            blocking,
            () -> NOW);
    KnowledgeReply reply =
        search
            .run(
                new KnowledgeEntity.Search(
                    "apples",
                    List.of("default"),
                    5,
                    null,
                    0,
                    TestInbox.<KnowledgeReply>create().getRef()))
            .toCompletableFuture()
            .join();
    assertTrue(assertInstanceOf(KnowledgeReply.Busy.class, reply).retryAfterMillis() > 0);
    // It goes on for the next one, which need not wait.
    Await.until("the index catches up", Duration.ofMinutes(1), () -> !held.isEmpty());
    held.remove().run();
    CompletableFuture<@Nullable DirectoryReader> ready = behind.ready("default");
    held.remove().run();
    DirectoryReader reader = Objects.requireNonNull(ready.join());
    assertEquals(1, reader.numDocs());
    SearchOperation.release(reader);
    CompletableFuture<?> closing = behind.close().toCompletableFuture();
    held.remove().run();
    closing.join();
  }
}
