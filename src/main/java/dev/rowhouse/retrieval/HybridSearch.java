package dev.rowhouse.retrieval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiReader;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermInSetQuery;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/**
 * Keyword and vector search over several stores as over one: the readers are joined, so that the
 * statistics of words, and with them the scores, are common to all.
 */
final class HybridSearch {
  /** The depth of each list before they are fused. */
  static final int CANDIDATES = 50;

  private static final int QUERY_WORDS_MAX = 256;

  /** A chunk that was found; see {@link Passage} for the scores. */
  record Hit(
      String storeId,
      String fileId,
      int ordinal,
      String heading,
      String text,
      double score,
      double similarity) {}

  /** A file in a store: the same file has attributes of its own in each. */
  record FileOf(String storeId, String fileId) {
    /** As one word of the index. */
    String key() {
      return storeId + "/" + fileId;
    }
  }

  private HybridSearch() {}

  /**
   * @param files only chunks of these; null for all
   */
  static List<Hit> search(
      List<DirectoryReader> readers,
      String query,
      float[] vector,
      @Nullable Collection<FileOf> files,
      int limit)
      throws IOException {
    // It holds the stores' readers and gives them back when it closes; it does not close them.
    try (IndexReader all = new MultiReader(readers.toArray(IndexReader[]::new), false)) {
      return all.numDocs() == 0 || (files != null && files.isEmpty())
          ? List.of()
          : search(all, query, vector, files, limit);
    }
  }

  private static List<Hit> search(
      IndexReader all, String query, float[] vector, @Nullable Collection<FileOf> files, int limit)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(all);
    searcher.setSimilarity(StoreIndex.BM25);
    searcher.setQueryCache(null);
    Query filter =
        files == null
            ? null
            : new TermInSetQuery(
                StoreIndex.KEY, files.stream().map(file -> new BytesRef(file.key())).toList());
    TopDocs keyword = searcher.search(keywordQuery(query, filter), CANDIDATES);
    TopDocs nearest =
        searcher.search(
            new KnnFloatVectorQuery(StoreIndex.VECTOR, vector, CANDIDATES, filter), CANDIDATES);
    Map<Integer, Double> cosines = new HashMap<>();
    for (ScoreDoc doc : nearest.scoreDocs) {
      cosines.put(doc.doc, 2.0 * doc.score - 1);
    }
    List<Hit> hits = new ArrayList<>();
    for (Fusion.Fused<Integer> fused : Fusion.fuse(List.of(ids(keyword), ids(nearest)))) {
      if (hits.size() == limit) {
        break;
      }
      Double known = cosines.get(fused.item());
      double cosine = known != null ? known : cosine(all, fused.item(), vector);
      hits.add(hit(searcher, fused, Math.clamp(cosine, 0, 1)));
    }
    return hits;
  }

  private static Query keywordQuery(String query, @Nullable Query filter) {
    Set<String> words = new LinkedHashSet<>(Keywords.of(query, QUERY_WORDS_MAX));
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    for (String word : words) {
      any.add(new TermQuery(new Term(StoreIndex.BODY, word)), BooleanClause.Occur.SHOULD);
    }
    if (filter == null) {
      return any.build();
    }
    return new BooleanQuery.Builder()
        .add(any.build(), BooleanClause.Occur.MUST)
        .add(filter, BooleanClause.Occur.FILTER)
        .build();
  }

  private static List<Integer> ids(TopDocs docs) {
    return Arrays.stream(docs.scoreDocs).map(doc -> doc.doc).toList();
  }

  private static double cosine(IndexReader all, int doc, float[] query) throws IOException {
    List<LeafReaderContext> leaves = all.leaves();
    LeafReaderContext leaf = leaves.get(ReaderUtil.subIndex(doc, leaves));
    FloatVectorValues values = leaf.reader().getFloatVectorValues(StoreIndex.VECTOR);
    var iterator = values.iterator();
    return iterator.advance(doc - leaf.docBase) == doc - leaf.docBase
        ? Vectors.cosine(values.vectorValue(iterator.index()), query)
        : 0;
  }

  private static Hit hit(IndexSearcher searcher, Fusion.Fused<Integer> fused, double similarity)
      throws IOException {
    Document document = searcher.storedFields().document(fused.item());
    return new Hit(
        document.get(StoreIndex.STORE),
        document.get(StoreIndex.FILE),
        document.getField(StoreIndex.ORDINAL).numericValue().intValue(),
        document.get(StoreIndex.HEADING),
        document.get(StoreIndex.TEXT),
        fused.score(),
        similarity);
  }
}
