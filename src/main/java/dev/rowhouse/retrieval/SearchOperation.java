package dev.rowhouse.retrieval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;

/**
 * One search: check, bring the indexes up to date, embed, search, filter.
 *
 * <p>It waits for an index that is behind for a bounded time and then answers busy, while the index
 * goes on catching up for the next one. It never answers from an index that is behind, nor from
 * those of its stores that are not.
 */
final class SearchOperation {
  private static final long BUSY_RETRY_MILLIS = 1_000;

  private final DocumentStore documents;
  private final StoreOperations stores;
  private final TenantIndex index;
  private final Embedder embedder;
  private final RetrievalSettings.Search limits;
  private final Executor blocking;
  private final InstantSource clock;

  SearchOperation(
      DocumentStore documents,
      StoreOperations stores,
      TenantIndex index,
      Embedder embedder,
      RetrievalSettings settings,
      Executor blocking,
      InstantSource clock) {
    this.documents = documents;
    this.stores = stores;
    this.index = index;
    this.embedder = embedder;
    this.limits = settings.search();
    this.blocking = blocking;
    this.clock = clock;
  }

  CompletionStage<KnowledgeReply> run(KnowledgeEntity.Search search) {
    KnowledgeReply.Invalid problem = problem(search);
    if (problem != null) {
      return CompletableFuture.completedFuture(problem);
    }
    List<String> ids = List.copyOf(new LinkedHashSet<>(search.storeIds()));
    AtomicBoolean abandoned = new AtomicBoolean();
    return CompletableFuture.<KnowledgeReply.@Nullable Refusal>supplyAsync(
            () -> refusal(ids), blocking)
        .thenCompose(
            refusal ->
                refusal != null
                    ? CompletableFuture.<KnowledgeReply>completedFuture(refusal)
                    : readers(ids)
                        .thenApplyAsync(
                            readers -> searchAndRelease(search, ids, readers, abandoned), blocking))
        .copy()
        .orTimeout(limits.catchUpTimeout().toMillis(), TimeUnit.MILLISECONDS)
        .exceptionally(
            failure -> {
              abandoned.set(true);
              if (failure instanceof TimeoutException) {
                return new KnowledgeReply.Busy(BUSY_RETRY_MILLIS);
              }
              IndexFailure refused = indexFailure(failure);
              if (refused != null) {
                return new KnowledgeReply.Unavailable(refused.retryAfter().toMillis());
              }
              throw new CompletionException(failure);
            });
  }

  private static @Nullable IndexFailure indexFailure(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof IndexFailure refused) {
        return refused;
      }
    }
    return null;
  }

  private KnowledgeReply.@Nullable Invalid problem(KnowledgeEntity.Search search) {
    if (search.query().isBlank()) {
      return new KnowledgeReply.Invalid("query", "the query is empty");
    }
    if (search.query().length() > limits.queryCharsMax()) {
      return new KnowledgeReply.Invalid(
          "query", "a query has at most " + limits.queryCharsMax() + " characters");
    }
    if (search.topK() < 1 || search.topK() > limits.resultsMax()) {
      return new KnowledgeReply.Invalid(
          "max_num_results", "between 1 and " + limits.resultsMax() + ", not " + search.topK());
    }
    if (!(search.scoreMin() >= 0 && search.scoreMin() <= 1)) {
      return new KnowledgeReply.Invalid(
          "ranking_options.score_threshold", "between 0 and 1, not " + search.scoreMin());
    }
    if (search.storeIds().isEmpty() || search.storeIds().size() > limits.storesMax()) {
      return new KnowledgeReply.Invalid("stores", "1 to " + limits.storesMax() + " stores");
    }
    AttributeFilter filter = search.filter();
    if (filter != null
        && (filter.depth() > AttributeFilter.DEPTH_MAX
            || filter.conditions() > AttributeFilter.CONDITIONS_MAX)) {
      return new KnowledgeReply.Invalid(
          "filters", "at most 8 levels and 128 conditions in one filter");
    }
    return null;
  }

  private KnowledgeReply.@Nullable Refusal refusal(List<String> ids) {
    for (String id : ids) {
      VectorStore store = stores.find(id);
      if (store == null) {
        return StoreOperations.notFound(id);
      }
      if (store.expired(clock.instant())) {
        return new KnowledgeReply.Invalid("vector_store_id", "the store " + id + " has expired");
      }
      stores.used(store);
    }
    return null;
  }

  private CompletableFuture<List<DirectoryReader>> readers(List<String> ids) {
    List<CompletableFuture<@Nullable DirectoryReader>> each =
        ids.stream().map(index::ready).toList();
    return CompletableFuture.allOf(each.toArray(CompletableFuture[]::new))
        .handle(
            (_, failure) -> {
              if (failure != null) {
                for (CompletableFuture<@Nullable DirectoryReader> one : each) {
                  var _ = one.thenAccept(SearchOperation::release);
                }
                throw new CompletionException(failure);
              }
              return each.stream().map(CompletableFuture::join).filter(Objects::nonNull).toList();
            });
  }

  private KnowledgeReply searchAndRelease(
      KnowledgeEntity.Search search,
      List<String> ids,
      List<DirectoryReader> readers,
      AtomicBoolean abandoned) {
    try {
      return abandoned.get()
          ? new KnowledgeReply.Busy(BUSY_RETRY_MILLIS)
          : new KnowledgeReply.Found(search(search, ids, readers));
    } catch (IOException e) {
      throw new UncheckedIOException("a search failed", e);
    } finally {
      readers.forEach(SearchOperation::release);
    }
  }

  /** Gives a reader back; null is none. */
  static void release(@Nullable DirectoryReader reader) {
    if (reader == null) {
      return;
    }
    try {
      reader.decRef();
    } catch (IOException e) {
      throw new UncheckedIOException("a reader did not close", e);
    }
  }

  private SearchResult search(
      KnowledgeEntity.Search search, List<String> ids, List<DirectoryReader> readers)
      throws IOException {
    if (readers.stream().allMatch(reader -> reader.numDocs() == 0)) {
      // Most tenants of a chat have no documents; an embedding costs milliseconds of a core.
      return new SearchResult(documents.tenant(), List.of(), false);
    }
    AttributeFilter filter = search.filter();
    List<HybridSearch.FileOf> files = filter == null ? null : matching(ids, filter);
    List<HybridSearch.Hit> hits =
        HybridSearch.search(
            readers, search.query(), embedder.embedQuery(search.query()), files, search.topK());
    List<Passage> passages = new ArrayList<>();
    Map<HybridSearch.FileOf, StoreFileTable.@Nullable Entry> entries = new HashMap<>();
    for (HybridSearch.Hit hit : hits) {
      StoreFileTable.Entry entry =
          entries.computeIfAbsent(
              new HybridSearch.FileOf(hit.storeId(), hit.fileId()),
              file -> documents.storeFiles().entry(file.storeId(), file.fileId()));
      if (entry != null && hit.score() >= search.scoreMin()) {
        passages.add(
            new Passage(
                hit.fileId(),
                entry.filename(),
                hit.storeId(),
                hit.ordinal(),
                hit.heading(),
                hit.text(),
                hit.score(),
                hit.similarity(),
                entry.attributes()));
      }
    }
    Page<Passage> cut =
        new Page<>(passages, false).within(limits.replyBytesMax(), SearchOperation::sizeBytes);
    return new SearchResult(documents.tenant(), cut.items(), cut.hasMore());
  }

  private List<HybridSearch.FileOf> matching(List<String> ids, AttributeFilter filter) {
    List<HybridSearch.FileOf> matching = new ArrayList<>();
    for (String id : ids) {
      documents
          .storeFiles()
          .entries(id)
          .forEach(
              (file, entry) -> {
                if (filter.matches(entry.attributes())) {
                  matching.add(new HybridSearch.FileOf(id, file));
                }
              });
    }
    return matching;
  }

  private static int sizeBytes(Passage passage) {
    return Page.size(passage.text())
        + Page.size(passage.heading())
        + Page.size(passage.filename())
        + Page.size(passage.attributes())
        + Page.ITEM_BYTES;
  }
}
