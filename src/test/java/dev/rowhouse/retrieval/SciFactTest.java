package dev.rowhouse.retrieval;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.KeysFixture;
import dev.rowhouse.tenant.TenantId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * nDCG@10 on BEIR's SciFact (5,183 abstracts, 300 claims) through the room's own tables and index.
 * It runs where {@code ROWHOUSE_SCIFACT_DIR} (or the system property rowhouse.scifact.dir) names a
 * directory with docs.tsv, queries.tsv and qrels.tsv; embedding the abstracts takes about ten
 * minutes of one core.
 */
class SciFactTest {
  /** BM25 alone has 0.68; below this the fusion is broken. */
  private static final double NDCG_MIN = 0.71;

  private final BgeEmbedder embedder = BgeEmbedder.shared(2);

  @Test
  void ranksSciFactAsWellAsItsPartsTogetherShould(@TempDir Path directory) throws IOException {
    String given =
        System.getProperty("rowhouse.scifact.dir", System.getenv("ROWHOUSE_SCIFACT_DIR"));
    Assumptions.assumeTrue(given != null, "skipped: ROWHOUSE_SCIFACT_DIR names no data");
    Path data = Path.of(String.valueOf(given));
    try (Database database = TestConfig.database(directory)) {
      DocumentStore documents =
          DocumentStore.open(
              database, new TenantId("acme"), KeysFixture.keys(database, Runnable::run));
      load(data, documents);
      TenantIndex index =
          new TenantIndex(
              directory.resolve("index"),
              documents,
              embedder.model(),
              TestConfig.settings(directory).index(),
              Runnable::run,
              InstantSource.system());
      DirectoryReader reader = Objects.requireNonNull(index.ready("default").join());
      double ndcg = mean(data, reader);
      SearchOperation.release(reader);
      index.close().toCompletableFuture().join();
      System.out.printf("SciFact nDCG@10 %.4f%n", ndcg);
      assertTrue(ndcg >= NDCG_MIN, "nDCG@10 is " + ndcg);
    }
  }

  private void load(Path data, DocumentStore documents) throws IOException {
    Instant now = Instant.now();
    documents.stores().create("default", "default", Map.of(), null, now);
    Map<String, String> texts = new LinkedHashMap<>();
    for (String line : Files.readAllLines(data.resolve("docs.tsv"), UTF_8)) {
      String[] fields = line.split("\t", 3);
      texts.put(fields[0], fields[1] + ". " + fields[2]);
    }
    Map<String, float[]> vectors =
        texts.entrySet().parallelStream()
            .collect(
                Collectors.toConcurrentMap(
                    Map.Entry::getKey, entry -> embedder.embedPassage(entry.getValue())));
    // One chunk for each abstract, as the published figures have it.
    texts.forEach(
        (id, text) -> {
          documents.storeFiles().attach("default", id, Map.of(), ChunkingStrategy.AUTO, now);
          float[] vector = vectors.getOrDefault(id, new float[embedder.dimensions()]);
          documents
              .chunks()
              .add(
                  "default",
                  id,
                  List.of(new ChunkTable.Embedded(new Chunk(0, "", text, 0), vector)));
          documents.storeFiles().complete("default", id, 0);
        });
  }

  private double mean(Path data, DirectoryReader reader) throws IOException {
    Map<String, Set<String>> relevant = new HashMap<>();
    for (String line : Files.readAllLines(data.resolve("qrels.tsv"), UTF_8)) {
      String[] fields = line.split("\t", -1);
      if (!fields[2].strip().equals("0")) {
        relevant.computeIfAbsent(fields[0], _ -> new HashSet<>()).add(fields[1]);
      }
    }
    List<Double> each = new ArrayList<>();
    for (String line : Files.readAllLines(data.resolve("queries.tsv"), UTF_8)) {
      String[] fields = line.split("\t", 2);
      Set<String> wanted = relevant.get(fields[0]);
      if (wanted != null) {
        List<String> found =
            HybridSearch.search(
                    List.of(reader), fields[1], embedder.embedQuery(fields[1]), null, 10)
                .stream()
                .map(HybridSearch.Hit::fileId)
                .toList();
        each.add(ndcg(found, wanted));
      }
    }
    return each.stream().mapToDouble(Double::doubleValue).average().orElse(0);
  }

  private static double ndcg(List<String> found, Set<String> wanted) {
    double gain = 0;
    for (int i = 0; i < found.size(); i++) {
      if (wanted.contains(found.get(i))) {
        gain += discount(i);
      }
    }
    double best =
        IntStream.range(0, Math.min(10, wanted.size())).mapToDouble(SciFactTest::discount).sum();
    return gain / best;
  }

  private static double discount(int index) {
    return Math.log(2) / Math.log(index + 2.0);
  }
}
