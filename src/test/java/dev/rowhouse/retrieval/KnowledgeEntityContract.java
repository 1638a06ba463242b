package dev.rowhouse.retrieval;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.retrieval.AttributeFilter.Comparison;
import dev.rowhouse.retrieval.AttributeFilter.Operator;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What a tenant's knowledge does behind its actor, whatever its documents are kept in. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class KnowledgeEntityContract {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** A question that came while its entity stopped has no answer; it is asked again then. */
  private static final long LOST_AFTER_SECONDS = 5;

  private static final BgeEmbedder EMBEDDER = BgeEmbedder.shared(2);

  private final Path directory;
  private final Storage storage;

  /** It is so late there that everything is unused. */
  private final IndexDirectories directories;

  private final ActorTestKit kit;
  private final Retrieval retrieval;

  /**
   * A node on a storage that has the tables of the room and of the data keys.
   *
   * @param directory of the indexes
   */
  KnowledgeEntityContract(Path directory, Storage storage) {
    this.directory = directory;
    this.storage = storage;
    Config config = TestConfig.of(directory);
    directories =
        new IndexDirectories(
            directory.resolve("index"),
            TestConfig.settings(directory).index(),
            () -> Instant.now().plus(Duration.ofDays(1_000)),
            _ -> false);
    kit = ActorTestKit.create(config);
    Cluster cluster = Cluster.get(kit.system());
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    KnowledgeEntity.init(
        ClusterSharding.get(kit.system()),
        storage,
        KeysFixture.keys(storage, Runnable::run),
        EMBEDDER,
        config.getConfig("rowhouse.retrieval"),
        directories);
    retrieval = Retrieval.create(kit.system(), EMBEDDER);
  }

  @AfterAll
  void stopNode() {
    kit.shutdownTestKit();
    storage.close();
  }

  private KnowledgeReply ask(
      String tenant, Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> command) {
    return ClusterSharding.get(kit.system())
        .entityRefFor(KnowledgeEntity.KEY, tenant)
        .<KnowledgeReply>ask(command::apply, PATIENCE)
        .toCompletableFuture()
        .join();
  }

  private <T extends KnowledgeReply> T ask(
      Class<T> type,
      String tenant,
      Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> command) {
    return assertInstanceOf(type, ask(tenant, command));
  }

  private String upload(String tenant, String name, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    String id =
        ask(
                KnowledgeReply.UploadReady.class,
                tenant,
                to ->
                    new KnowledgeEntity.BeginUpload(
                        UUID.randomUUID().toString(), name, "assistants", to))
            .uploadId();
    int pieces = 0;
    for (int from = 0; from < bytes.length; from += 100_000) {
      byte[] piece = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 100_000));
      int ordinal = pieces++;
      ask(
          KnowledgeReply.PieceStored.class,
          tenant,
          to -> new KnowledgeEntity.AppendUpload(id, ordinal, piece, to));
    }
    int count = pieces;
    ask(
        KnowledgeReply.FileFound.class,
        tenant,
        to -> new KnowledgeEntity.FinishUpload(id, count, to));
    return id;
  }

  private StoreFile attach(
      String tenant, String store, String file, Map<String, Object> attributes) {
    ask(
        KnowledgeReply.StoreFileFound.class,
        tenant,
        to -> new KnowledgeEntity.AttachFile(store, file, attributes, ChunkingStrategy.AUTO, to));
    return poll(tenant, store, file);
  }

  private StoreFile poll(String tenant, String store, String file) {
    Instant end = Instant.now().plus(PATIENCE);
    while (Instant.now().isBefore(end)) {
      StoreFile now =
          ask(
                  KnowledgeReply.StoreFileFound.class,
                  tenant,
                  to -> new KnowledgeEntity.GetStoreFile(store, file, to))
              .file();
      if (now.status() != FileStatus.IN_PROGRESS) {
        return now;
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("the file is still in progress");
  }

  private List<Passage> search(String tenant, String query, String... stores) {
    return ask(
            KnowledgeReply.Found.class,
            tenant,
            to -> new KnowledgeEntity.Search(query, List.of(stores), 10, null, 0, to))
        .result()
        .passages();
  }

  @Test
  void takesAFileFromUploadToSearchToDeletion() {
    String text =
        """
        # Shop

        ## Refunds

        Goods can be returned within 30 days.

        ## Delivery

        By bike.
        """;
    String file = upload("acme", "shop.md", text);
    StoreFile attached = attach("acme", "default", file, Map.of("lang", "en"));
    assertEquals(FileStatus.COMPLETED, attached.status());
    assertTrue(attached.usageBytes() > 0);
    Passage best = search("acme", "How long may I return something?", "default").getFirst();
    assertEquals("shop.md", best.filename());
    assertEquals("Shop > Refunds", best.heading());
    assertEquals(Map.of("lang", "en"), best.attributes());
    assertTrue(best.score() > 0 && best.score() <= 1);
    KnowledgeReply.ContentPage content =
        ask(
            KnowledgeReply.ContentPage.class,
            "acme",
            to -> new KnowledgeEntity.StoreFileContent("default", file, 0, to));
    assertEquals(text, String.join("", content.texts()));
    ask(KnowledgeReply.Deleted.class, "acme", to -> new KnowledgeEntity.DeleteFile(file, to));
    assertTrue(search("acme", "return something", "default").isEmpty());
    ask(KnowledgeReply.NotFound.class, "acme", to -> new KnowledgeEntity.GetFile(file, to));
  }

  @Test
  void keepsTwoTenantsWithTheSameDocumentNameApart() {
    String acme = upload("one", "secret.md", "The colour of the door is blue.");
    String globex = upload("two", "secret.md", "The colour of the door is green.");
    attach("one", "default", acme, Map.of());
    attach("two", "default", globex, Map.of());
    List<Passage> one = search("one", "What colour is the door?", "default");
    List<Passage> two = search("two", "What colour is the door?", "default");
    assertEquals(List.of(acme), one.stream().map(Passage::fileId).toList());
    assertEquals(List.of(globex), two.stream().map(Passage::fileId).toList());
    for (Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> foreign :
        List.<Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command>>of(
            to -> new KnowledgeEntity.GetFile(acme, to),
            to -> new KnowledgeEntity.FileContent(acme, 0, to),
            to -> new KnowledgeEntity.DeleteFile(acme, to),
            to -> new KnowledgeEntity.GetStoreFile("default", acme, to),
            to -> new KnowledgeEntity.StoreFileContent("default", acme, 0, to),
            to -> new KnowledgeEntity.DetachFile("default", acme, to),
            to ->
                new KnowledgeEntity.AttachFile(
                    "default", acme, Map.of(), ChunkingStrategy.AUTO, to))) {
      ask(KnowledgeReply.NotFound.class, "two", foreign);
    }
    assertEquals(1, search("one", "door", "default").size());
  }

  @Test
  void goesOnWithWhatACrashLeftInProgress() {
    TenantId tenant = new TenantId("crashed");
    DocumentStore documents =
        DocumentStore.open(storage, tenant, KeysFixture.keys(storage, Runnable::run));
    Instant now = Instant.now();
    documents.stores().create("default", "default", Map.of(), null, now);
    documents.files().begin("file-left", "left.txt", "assistants", now);
    documents.files().append("file-left", 0, "The crash was at noon.".getBytes(UTF_8), 1_000);
    documents.files().finish("file-left", 1);
    documents.storeFiles().attach("default", "file-left", Map.of(), ChunkingStrategy.AUTO, now);
    // A chunk of an interrupted attempt that was cut differently.
    documents
        .chunks()
        .add(
            "default",
            "file-left",
            List.of(
                new ChunkTable.Embedded(
                    new Chunk(0, "", "Something else.", 0), EMBEDDER.embedPassage("x"))));
    assertEquals(FileStatus.COMPLETED, poll("crashed", "default", "file-left").status());
    List<Passage> found = search("crashed", "When was the crash?", "default");
    assertEquals(List.of("The crash was at noon."), found.stream().map(Passage::text).toList());
  }

  @Test
  void keepsItsDirectoryWhileItIsHere() throws IOException {
    attach("here", "default", upload("here", "a.txt", "The cat is on the roof."), Map.of());
    assertEquals(1, search("here", "cat", "default").size());
    var _ = directories.sweep();
    assertTrue(Files.isDirectory(directory.resolve("index").resolve("here").resolve("default")));
    assertEquals(1, search("here", "cat", "default").size());
  }

  @Test
  void findsACompletedFileAfterTheEntityStopped() {
    String file = upload("moved", "a.txt", "The piano is in the cellar.");
    attach("moved", "default", file, Map.of());
    assertEquals(1, search("moved", "piano", "default").size());
    ClusterSharding.get(kit.system())
        .entityRefFor(KnowledgeEntity.KEY, "moved")
        .tell(new KnowledgeEntity.Retire());
    // What arrives while it stops is refused or lost, as sharding has it; a client asks again.
    RetrievalHandle handle = Retrieval.handleOf(new TenantId("moved"));
    SearchResult found =
        kit.createTestProbe()
            .awaitAssert(
                PATIENCE,
                () -> {
                  try {
                    return retrieval
                        .search(handle, "piano", List.of("default"), 5)
                        .toCompletableFuture()
                        .get(LOST_AFTER_SECONDS, TimeUnit.SECONDS);
                  } catch (ExecutionException | TimeoutException e) {
                    throw new AssertionError(e);
                  }
                });
    assertEquals(1, found.passages().size());
  }

  @Test
  void saysWhyAFileFailed() {
    String pdf = upload("failing", "a.pdf", "%PDF-1.7");
    StoreFile failed = attach("failing", "default", pdf, Map.of());
    assertEquals(FileStatus.FAILED, failed.status());
    assertEquals("unsupported_file", failed.lastError() == null ? "" : failed.lastError().code());
    String blank = upload("failing", "b.txt", "  \n ");
    StoreFile empty = attach("failing", "default", blank, Map.of());
    assertEquals("invalid_file", empty.lastError() == null ? "" : empty.lastError().code());
  }

  @Test
  void runsABatchAndFiltersByAttributes() {
    List<String> files = new ArrayList<>();
    for (int year = 2020; year < 2024; year++) {
      files.add(upload("batching", year + ".txt", "The report of the year " + year + "."));
    }
    FileBatch batch =
        ask(
                KnowledgeReply.BatchFound.class,
                "batching",
                to ->
                    new KnowledgeEntity.CreateBatch(
                        "request-1", "default", files, Map.of(), ChunkingStrategy.AUTO, to))
            .batch();
    assertTrue(batch.id().matches("vsfb_[0-9a-f]{32}"));
    for (int i = 0; i < files.size(); i++) {
      String file = files.get(i);
      poll("batching", "default", file);
      long year = 2020L + i;
      ask(
          KnowledgeReply.StoreFileFound.class,
          "batching",
          to -> new KnowledgeEntity.UpdateStoreFile("default", file, Map.of("year", year), to));
    }
    FileBatch done =
        ask(
                KnowledgeReply.BatchFound.class,
                "batching",
                to -> new KnowledgeEntity.GetBatch("default", batch.id(), to))
            .batch();
    assertEquals(FileStatus.COMPLETED, done.status());
    assertEquals(4, done.counts().completed());
    List<Passage> recent =
        ask(
                KnowledgeReply.Found.class,
                "batching",
                to ->
                    new KnowledgeEntity.Search(
                        "report",
                        List.of("default"),
                        10,
                        new Comparison(Operator.GTE, "year", 2022L),
                        0,
                        to))
            .result()
            .passages();
    assertEquals(2, recent.size());
  }

  @Test
  void makesOneThingOfARequestThatArrivesTwice() {
    Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> create =
        to -> new KnowledgeEntity.CreateStore("same", "notes", Map.of("k", "v"), 3, to);
    VectorStore first = ask(KnowledgeReply.StoreFound.class, "twice", create).store();
    VectorStore second = ask(KnowledgeReply.StoreFound.class, "twice", create).store();
    assertEquals(first, second);
    assertTrue(first.id().matches("vs_[0-9a-f]{32}"));
    KnowledgeReply.StorePage page =
        ask(
            KnowledgeReply.StorePage.class,
            "twice",
            to -> new KnowledgeEntity.ListStores(new PageRequest(null, 10, true), to));
    assertEquals(2, page.stores().size());
    VectorStore other = ask(KnowledgeReply.StoreFound.class, "thrice", create).store();
    assertFalse(other.id().equals(first.id()));
  }

  @Test
  void keepsTheDefaultStoreAndDeletesOthers() {
    ask(
        KnowledgeReply.Invalid.class,
        "keeping",
        to -> new KnowledgeEntity.DeleteStore("default", to));
    VectorStore store =
        ask(
                KnowledgeReply.StoreFound.class,
                "keeping",
                to -> new KnowledgeEntity.CreateStore("r", "s", Map.of(), null, to))
            .store();
    ask(
        KnowledgeReply.Deleted.class,
        "keeping",
        to -> new KnowledgeEntity.DeleteStore(store.id(), to));
    ask(
        KnowledgeReply.NotFound.class,
        "keeping",
        to -> new KnowledgeEntity.Search("x", List.of(store.id()), 1, null, 0, to));
  }

  @Test
  void erasesTablesAndDirectoriesOfOneTenant() {
    String gone = upload("leaving", "a.txt", "The key is under the mat.");
    attach("leaving", "default", gone, Map.of());
    String kept = upload("staying", "a.txt", "The key is in the box.");
    attach("staying", "default", kept, Map.of());
    search("leaving", "key", "default");
    search("staying", "key", "default");
    KnowledgeReply.Erased erased =
        ask(KnowledgeReply.Erased.class, "leaving", KnowledgeEntity.Erase::new);
    assertEquals(new KnowledgeReply.Erased(1, 1, 1), erased);
    assertFalse(Files.exists(directory.resolve("index/leaving")));
    assertTrue(search("leaving", "key", "default").isEmpty());
    assertEquals(1, search("staying", "key", "default").size());
  }

  @Nested
  class Limits {
    private void refusesSearch(String param, String query, int topK, double scoreMin) {
      assertEquals(
          param,
          ask(
                  KnowledgeReply.Invalid.class,
                  "limits",
                  to ->
                      new KnowledgeEntity.Search(
                          query, List.of("default"), topK, null, scoreMin, to))
              .param());
    }

    @Test
    void refuseASearchOutOfBounds() {
      refusesSearch("query", " ", 10, 0);
      refusesSearch("query", "x".repeat(8_001), 10, 0);
      refusesSearch("max_num_results", "x", 0, 0);
      refusesSearch("max_num_results", "x", 51, 0);
      refusesSearch("ranking_options.score_threshold", "x", 10, 1.5);
      refusesSearch("ranking_options.score_threshold", "x", 10, Double.NaN);
    }

    @Test
    void refuseAPieceThatIsTooLarge() {
      ask(
          KnowledgeReply.TooLarge.class,
          "limits",
          to -> new KnowledgeEntity.AppendUpload("file-x", 0, new byte[128 * 1024 + 1], to));
    }

    @Test
    void refuseAnUnknownPurposeAndABadName() {
      ask(
          KnowledgeReply.Invalid.class,
          "limits",
          to -> new KnowledgeEntity.BeginUpload("r", "a.txt", "nonsense", to));
      ask(
          KnowledgeReply.Invalid.class,
          "limits",
          to -> new KnowledgeEntity.BeginUpload("r", "a\nb", "assistants", to));
    }

    @Test
    void refuseTooManyOpenUploads() {
      List<KnowledgeReply> replies = new ArrayList<>();
      for (int i = 0; i < 17; i++) {
        String request = "open-" + i;
        replies.add(
            ask(
                "uploads",
                to -> new KnowledgeEntity.BeginUpload(request, "a.txt", "assistants", to)));
      }
      assertInstanceOf(KnowledgeReply.UploadReady.class, replies.get(15));
      assertInstanceOf(KnowledgeReply.Busy.class, replies.get(16));
    }
  }

  @Test
  void searchesThroughAHandleAndPicksSentences() {
    String file =
        upload(
            "handled",
            "a.md",
            "# Office\n\nThe office opens at nine. Dogs are allowed. Tea is free.");
    attach("handled", "default", file, Map.of());
    RetrievalHandle handle = Retrieval.handleOf(new TenantId("handled"));
    assertEquals("RetrievalHandle", handle.toString());
    List<Passage> passages =
        retrieval
            .search(handle, "When does the office open?", List.of("default"), 5)
            .toCompletableFuture()
            .join()
            .passages();
    Extract extract =
        retrieval
            .bestSentences("When does the office open?", passages, 1)
            .toCompletableFuture()
            .join();
    assertEquals("The office opens at nine.", extract.sentences().getFirst().text());
    assertTrue(extract.fits());
    CompletionException refused =
        assertThrows(
            CompletionException.class,
            () ->
                retrieval.search(handle, "x", List.of("vs_none"), 5).toCompletableFuture().join());
    assertInstanceOf(
        KnowledgeReply.NotFound.class,
        assertInstanceOf(RetrievalRefused.class, refused.getCause()).refusal());
  }
}
