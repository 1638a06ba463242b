package dev.rowhouse.retrieval;

import com.typesafe.config.Config;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/**
 * Retrieval as a worker uses it: search what a handle stands for, and pick the sentences that
 * answer. {@link KnowledgeEntity#init} must have run on this node.
 */
public final class Retrieval {
  private final ClusterSharding sharding;
  private final Executor blocking;
  private final SentenceScorer scorer;
  private final Duration askTimeout;

  private Retrieval(
      ClusterSharding sharding, Executor blocking, SentenceScorer scorer, Duration askTimeout) {
    this.sharding = sharding;
    this.blocking = blocking;
    this.scorer = scorer;
    this.askTimeout = askTimeout;
  }

  /** With the system's {@code rowhouse.retrieval}. */
  public static Retrieval create(ActorSystem<?> system, Embedder embedder) {
    Config config = system.settings().config().getConfig("rowhouse.retrieval");
    Config sentences = config.getConfig("sentences");
    SentenceVectors vectors =
        new SentenceVectors(
            embedder,
            sentences.getInt("cache-entries-max"),
            sentences.getDuration("cache-time-to-live"),
            InstantSource.system());
    return new Retrieval(
        ClusterSharding.get(system),
        system
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig(KnowledgeEntity.BLOCKING_DISPATCHER)),
        new SentenceScorer(
            embedder,
            vectors,
            sentences.getInt("candidates-max"),
            sentences.getDouble("fit-score-min")),
        RetrievalSettings.from(config).search().askTimeout());
  }

  /** The handle of a tenant, for who has admitted one of its requests. */
  public static RetrievalHandle handleOf(TenantId tenant) {
    return new TenantHandle(tenant);
  }

  /**
   * Searches the stores of the handle's tenant. Fails with {@link RetrievalRefused}, or with a
   * TimeoutException when the tenant does not answer.
   *
   * @param topK 1 to 50
   */
  public CompletionStage<SearchResult> search(
      RetrievalHandle handle, String query, List<String> stores, int topK) {
    TenantHandle one =
        switch (handle) {
          case TenantHandle known -> known;
        };
    return sharding
        .entityRefFor(KnowledgeEntity.KEY, one.tenant().value())
        .<KnowledgeReply>ask(
            replyTo ->
                new KnowledgeEntity.Search(query, List.copyOf(stores), topK, null, 0, replyTo),
            askTimeout)
        .thenApply(Retrieval::result);
  }

  private static SearchResult result(KnowledgeReply reply) {
    return switch (reply) {
      case KnowledgeReply.Found found -> found.result();
      case KnowledgeReply.Refusal refusal -> throw new RetrievalRefused(refusal);
      case KnowledgeReply other ->
          throw new IllegalStateException("not an answer to a search: " + other.getClass());
    };
  }

  /** The best sentences of the passages for the question, at most so many. */
  public CompletionStage<Extract> bestSentences(
      String question, List<Passage> passages, int sentencesMax) {
    return CompletableFuture.supplyAsync(
        () -> scorer.best(question, passages, sentencesMax), blocking);
  }

  /** The room's types that travel between nodes, for the serializer's list. */
  public static List<Class<?>> wireTypes() {
    return WireTypes.ALL;
  }
}
