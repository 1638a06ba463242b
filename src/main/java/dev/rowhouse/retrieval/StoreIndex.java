package dev.rowhouse.retrieval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.LockObtainFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Lucene directory of one store: a projection of its completed files, with the number of the
 * last change that it has seen in the data of its last commit.
 *
 * <p>It is only ever behind, never wrong: {@link #catchUp} applies the changes after its number.
 * When the directory is missing, broken, of another format, of another incarnation of the store,
 * ahead of the store, or behind what the store remembers, it starts again from nothing.
 *
 * <p>Calls block. One caller at a time changes it; readers are counted and may outlive a close.
 */
final class StoreIndex implements AutoCloseable {
  static final String FILE = "file";
  static final String STORE = "store";

  /** Store and file in one word, which is what a filter over several stores names. */
  static final String KEY = "key";

  static final String ORDINAL = "ordinal";
  static final String HEADING = "heading";
  static final String TEXT = "text";
  static final String BODY = "body";
  static final String VECTOR = "vector";

  /** k1 and b that suit passages (Anserini's defaults). */
  static final BM25Similarity BM25 = new BM25Similarity(0.9f, 0.4f);

  private static final Logger LOG = LoggerFactory.getLogger(StoreIndex.class);

  /** Raise it when a document's fields change: every index is then built anew. */
  private static final String FORMAT = "1";

  /** Written to find out whether the disk has room; more than a commit without changes needs. */
  private static final String PROBE = "probe";

  private static final int PROBE_BYTES = 16 * 1024;

  private static final String FINGERPRINT_KEY = "rowhouse.fingerprint";
  private static final String SEQUENCE_KEY = "rowhouse.sequence";
  private static final int HNSW_LINKS = 16;
  private static final int HNSW_CANDIDATES = 100;

  /** Small, because every open store of every tenant has a buffer. */
  private static final double BUFFER_MEBIBYTES = 16;

  /** Changes between two commits: what a crash has to repeat at most. */
  private static final int CHANGES_PER_COMMIT = 64;

  /** Chunks in memory while a file is added. */
  private static final int CHUNKS_PER_READ = 256;

  private final String store;
  private final Directory directory;
  private final IndexWriter writer;
  private final SearcherManager searchers;
  private String fingerprint;
  private long sequence;

  private StoreIndex(Path path, String store) throws IOException {
    this.store = store;
    this.directory = FSDirectory.open(path);
    IndexWriter opened = null;
    SearcherManager searched = null;
    try {
      opened = new IndexWriter(directory, writerConfig());
      searched = new SearcherManager(opened, null);
      this.searchers = searched;
      this.writer = opened;
      Map<String, String> data = liveCommitData();
      this.fingerprint = data.getOrDefault(FINGERPRINT_KEY, "");
      this.sequence = Long.parseLong(data.getOrDefault(SEQUENCE_KEY, "0"));
      checkIntegrity();
    } catch (IOException | RuntimeException e) {
      if (searched != null) {
        searched.close();
      }
      if (opened != null) {
        opened.rollback();
      }
      directory.close();
      throw e;
    }
  }

  /**
   * Opens the directory; what cannot be read is thrown away, because it can be made again. On a
   * disk that takes no writes nothing is: the copy may be whole.
   */
  static StoreIndex open(Path path, String store) throws IOException {
    Files.createDirectories(path);
    try {
      return new StoreIndex(path, store);
    } catch (LockObtainFailedException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      requireWritable(path, e);
      LOG.warn("the index of store {} is broken and is built anew: {}", store, e.toString());
      deleteDirectory(path);
      Files.createDirectories(path);
      return new StoreIndex(path, store);
    }
  }

  private static void requireWritable(Path path, Exception failure) throws IOException {
    Path probe = path.resolve(PROBE);
    try {
      Files.write(probe, new byte[PROBE_BYTES]);
    } catch (IOException e) {
      e.addSuppressed(failure);
      throw e;
    } finally {
      Files.deleteIfExists(probe);
    }
  }

  private static IndexWriterConfig writerConfig() {
    ConcurrentMergeScheduler merges = new ConcurrentMergeScheduler();
    merges.setMaxMergesAndThreads(2, 1);
    return new IndexWriterConfig(Keywords.ANALYZER)
        .setSimilarity(BM25)
        .setRAMBufferSizeMB(BUFFER_MEBIBYTES)
        .setMergeScheduler(merges)
        .setCodec(
            new Lucene104Codec() {
              private final KnnVectorsFormat vectors =
                  new Lucene99HnswVectorsFormat(HNSW_LINKS, HNSW_CANDIDATES);

              @Override
              public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                return vectors;
              }
            });
  }

  private Map<String, String> liveCommitData() {
    Map<String, String> data = new HashMap<>();
    Iterable<Map.Entry<String, String>> live = writer.getLiveCommitData();
    if (live != null) {
      live.forEach(entry -> data.put(entry.getKey(), entry.getValue()));
    }
    return data;
  }

  /** Reads every byte once: a flipped one must not wait for the search that meets it. */
  private void checkIntegrity() throws IOException {
    IndexSearcher searcher = searchers.acquire();
    try {
      for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
        leaf.reader().checkIntegrity();
      }
    } finally {
      searchers.release(searcher);
    }
  }

  /** The number of the last change that a search here sees. */
  synchronized long sequence() {
    return sequence;
  }

  /**
   * Applies the changes that are committed now, at least.
   *
   * @param model the embedding model, whose vectors must not be mixed with another's
   */
  synchronized void catchUp(DocumentStore documents, String model) throws IOException {
    StoreTable.Version version = documents.stores().version(store);
    if (version == null) {
      throw new StorageFailure("the store " + store + " is gone", null);
    }
    String wanted = FORMAT + "/" + model + "/" + version.incarnation();
    if (!fingerprint.equals(wanted)
        || sequence > version.sequence()
        || sequence < version.prunedSequence()) {
      writer.deleteAll();
      fingerprint = wanted;
      commit(0);
    }
    while (sequence < version.sequence()) {
      List<StoreTable.Change> changes =
          documents.stores().changes(store, sequence, CHANGES_PER_COMMIT);
      for (StoreTable.Change change : changes) {
        writer.deleteDocuments(new Term(FILE, change.fileId()));
        if (!change.removed()) {
          addFile(documents, change.fileId());
        }
      }
      // Numbers of files that changed again have gone from the list; the version covers them.
      long seen = changes.isEmpty() ? version.sequence() : changes.getLast().sequence();
      commit(seen);
    }
  }

  private void addFile(DocumentStore documents, String file) throws IOException {
    int from = 0;
    List<ChunkTable.Embedded> chunks;
    do {
      chunks = documents.chunks().read(store, file, from, CHUNKS_PER_READ);
      for (ChunkTable.Embedded embedded : chunks) {
        writer.addDocument(document(file, embedded));
        from = embedded.chunk().ordinal() + 1;
      }
    } while (chunks.size() == CHUNKS_PER_READ);
  }

  private Document document(String file, ChunkTable.Embedded embedded) {
    Chunk chunk = embedded.chunk();
    Document document = new Document();
    document.add(new StringField(FILE, file, Field.Store.YES));
    document.add(new StringField(KEY, new HybridSearch.FileOf(store, file).key(), Field.Store.NO));
    document.add(new StoredField(STORE, store));
    document.add(new StoredField(ORDINAL, chunk.ordinal()));
    document.add(new StoredField(HEADING, chunk.heading()));
    document.add(new StoredField(TEXT, chunk.text()));
    document.add(new TextField(BODY, chunk.embeddedText(), Field.Store.NO));
    document.add(
        new KnnFloatVectorField(VECTOR, embedded.vector(), VectorSimilarityFunction.DOT_PRODUCT));
    return document;
  }

  private void commit(long newSequence) throws IOException {
    writer.setLiveCommitData(
        Map.of(FINGERPRINT_KEY, fingerprint, SEQUENCE_KEY, Long.toString(newSequence)).entrySet());
    writer.commit();
    searchers.maybeRefreshBlocking();
    sequence = newSequence;
  }

  /** A reader of everything up to {@link #sequence()}; give it back with decRef. */
  DirectoryReader acquire() throws IOException {
    IndexSearcher searcher = searchers.acquire();
    try {
      DirectoryReader reader = (DirectoryReader) searcher.getIndexReader();
      reader.incRef();
      return reader;
    } finally {
      searchers.release(searcher);
    }
  }

  @Override
  public synchronized void close() {
    try (Directory closedLast = directory;
        IndexWriter closedSecond = writer;
        SearcherManager closedFirst = searchers) {
      LOG.debug("closing the index of store {} in {}: {}", store, closedLast, closedFirst);
      closedSecond.commit();
    } catch (IOException e) {
      throw new UncheckedIOException("the index of store " + store + " did not close", e);
    }
  }

  /** Removes a directory and what is in it; absent is fine. */
  static void deleteDirectory(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> inside = Files.walk(path)) {
      for (Path each : inside.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}
