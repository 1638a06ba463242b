package dev.rowhouse.inference;

import dev.rowhouse.inference.RunOrder.RetrievalPlan;
import dev.rowhouse.tenant.TenantId;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Where a run finds passages. There is no tenant parameter: the plan's handle is already one
 * tenant's. Both calls return at once and do their work on a dispatcher of their own.
 */
public interface PassageSource {

  /** The best passages for the query, best first, at most {@code plan.topK()}. */
  CompletionStage<List<Passage>> search(RetrievalPlan plan, String query);

  /** The sentences of these passages that answer the question best, best first. */
  CompletionStage<List<Sentence>> bestSentences(String question, List<Passage> passages, int n);

  /**
   * A piece of a document.
   *
   * @param tenant whose it is; a prompt of another tenant refuses it
   * @param score the higher, the better it fits
   */
  record Passage(
      TenantId tenant, String fileId, String filename, String store, String text, double score) {}

  /** A sentence of a passage, word for word. */
  record Sentence(Passage passage, String text, double score) {}
}
