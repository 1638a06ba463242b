package dev.rowhouse.inference;

import dev.rowhouse.inference.RunOrder.RetrievalPlan;
import dev.rowhouse.retrieval.Extract;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.retrieval.RetrievalRefused;
import dev.rowhouse.retrieval.SearchResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Passages from the house's own retrieval. Whose they are is the word of who found them. */
public final class KnowledgePassages implements PassageSource {
  /**
   * The embedding model sees about as much; the rest of a long question would only slow it down.
   */
  private static final int QUERY_CHARS_MAX = 4_000;

  private final Retrieval retrieval;

  public KnowledgePassages(Retrieval retrieval) {
    this.retrieval = retrieval;
  }

  @Override
  public CompletionStage<List<Passage>> search(RetrievalPlan plan, String query) {
    if (query.isBlank()) {
      return CompletableFuture.completedFuture(List.of());
    }
    String searched = query.substring(0, Math.min(query.length(), QUERY_CHARS_MAX));
    return retrieval
        .search(plan.handle(), searched, plan.stores(), plan.topK())
        .handle(
            (result, failure) -> {
              if (result != null) {
                return passages(result);
              }
              throw new CompletionException(refusal(failure));
            });
  }

  /** What the request itself is to blame for becomes an IllegalArgumentException. */
  private static Throwable refusal(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof RetrievalRefused refused) {
      return switch (refused.refusal()) {
        case KnowledgeReply.NotFound missing ->
            new IllegalArgumentException(
                "there is no " + missing.kind() + " '" + missing.id() + "'");
        case KnowledgeReply.Invalid invalid ->
            new IllegalArgumentException(invalid.param() + ": " + invalid.message());
        case KnowledgeReply.TooLarge _, KnowledgeReply.Busy _, KnowledgeReply.Unavailable _ ->
            cause;
      };
    }
    return cause;
  }

  private static List<Passage> passages(SearchResult result) {
    List<Passage> passages = new ArrayList<>(result.passages().size());
    for (dev.rowhouse.retrieval.Passage found : result.passages()) {
      passages.add(
          new Passage(
              result.tenant(),
              found.fileId(),
              found.filename(),
              found.storeId(),
              found.text(),
              found.score()));
    }
    return passages;
  }

  /** None when nothing in the passages fits the question. */
  @Override
  public CompletionStage<List<Sentence>> bestSentences(
      String question, List<Passage> passages, int n) {
    List<dev.rowhouse.retrieval.Passage> given = new ArrayList<>(passages.size());
    for (int i = 0; i < passages.size(); i++) {
      Passage passage = passages.get(i);
      given.add(
          new dev.rowhouse.retrieval.Passage(
              passage.fileId(),
              passage.filename(),
              passage.store(),
              i,
              "",
              passage.text(),
              Math.clamp(passage.score(), 0, 1),
              0,
              Map.of()));
    }
    return retrieval
        .bestSentences(question, given, n)
        .thenApply(extract -> sentences(extract, passages));
  }

  private static List<Sentence> sentences(Extract extract, List<Passage> passages) {
    if (!extract.fits()) {
      return List.of();
    }
    List<Sentence> sentences = new ArrayList<>(extract.sentences().size());
    for (Extract.Sentence sentence : extract.sentences()) {
      sentences.add(
          new Sentence(passages.get(sentence.passageIndex()), sentence.text(), sentence.score()));
    }
    return sentences;
  }
}
