package dev.rowhouse.retrieval;

/** A search that was refused, with the typed reason. */
public final class RetrievalRefused extends RuntimeException {
  private final transient KnowledgeReply.Refusal refusal;

  RetrievalRefused(KnowledgeReply.Refusal refusal) {
    super("the search was refused: " + refusal);
    this.refusal = refusal;
  }

  public KnowledgeReply.Refusal refusal() {
    return refusal;
  }
}
