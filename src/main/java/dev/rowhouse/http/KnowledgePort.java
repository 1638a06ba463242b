package dev.rowhouse.http;

import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.serving.Refusal;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** The way to what a tenant knows, for routes. */
final class KnowledgePort {
  private final ActorSystem<?> system;
  private final ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region;
  private final Duration askTimeout;

  KnowledgePort(
      ActorSystem<?> system,
      ActorRef<ShardingEnvelope<KnowledgeEntity.Command>> region,
      Duration askTimeout) {
    this.system = system;
    this.region = region;
    this.askTimeout = askTimeout;
  }

  CompletionStage<KnowledgeReply> ask(
      TenantId tenant, Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> command) {
    return AskPattern.<ShardingEnvelope<KnowledgeEntity.Command>, KnowledgeReply>ask(
            region,
            replyTo -> new ShardingEnvelope<>(tenant.value(), command.apply(replyTo)),
            askTimeout,
            system.scheduler())
        .exceptionally(failure -> new KnowledgeReply.Busy(1_000));
  }

  /** Asks, and writes a refusal as an error; anything else goes to {@code good}. */
  CompletionStage<HttpResponse> answer(
      TenantId tenant,
      Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> command,
      Function<KnowledgeReply, HttpResponse> good) {
    return ask(tenant, command)
        .thenApply(
            reply ->
                reply instanceof KnowledgeReply.Refusal refusal
                    ? Replies.openAiError(KnowledgeJson.refusal(refusal))
                    : good.apply(reply));
  }

  static HttpResponse unexpected(KnowledgeReply reply) {
    return Replies.openAiError(
        new Refusal(
            500,
            "internal_error",
            "An answer of the wrong kind: " + reply.getClass(),
            null,
            0,
            false));
  }
}
