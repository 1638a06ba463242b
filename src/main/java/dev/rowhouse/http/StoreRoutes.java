package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.retrieval.AttributeFilter;
import dev.rowhouse.retrieval.ChunkingStrategy;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.retrieval.PageRequest;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.tenant.TenantProfile;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /v1/vector_stores}; {@link StoreFileRoutes} has what is below one of them. */
final class StoreRoutes {
  private static final int QUERY_LENGTH_MAX = 8 * 1024;
  private static final int RESULTS_MAX = 50;
  private static final int RESULTS_DEFAULT = 10;

  private final KnowledgePort knowledge;
  private final InstantSource clock;

  StoreRoutes(KnowledgePort knowledge, InstantSource clock) {
    this.knowledge = knowledge;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> create(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return KnowledgeBodies.read(
        call,
        body -> {
          String name = body.text("name", KnowledgeBodies.NAME_LENGTH_MAX);
          Map<String, String> metadata = KnowledgeBodies.metadata(body);
          Integer days = KnowledgeBodies.expiresAfterDays(body);
          List<String> files =
              body.texts("file_ids", KnowledgeBodies.FILES_MAX, KnowledgeBodies.NAME_LENGTH_MAX);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean()) {
            return KnowledgeBodies.bad(body);
          }
          return knowledge
              .ask(
                  caller.tenant(),
                  replyTo ->
                      new KnowledgeEntity.CreateStore(
                          call.requestId(), name == null ? "" : name, metadata, days, replyTo))
              .thenCompose(
                  reply ->
                      reply instanceof KnowledgeReply.StoreFound found && !files.isEmpty()
                          ? attachAll(call, caller, found.store().id(), files, chunking)
                          : CompletableFuture.completedFuture(reply))
              .thenApply(this::store);
        });
  }

  private CompletionStage<KnowledgeReply> attachAll(
      Call call,
      TenantPlane.Caller caller,
      String store,
      List<String> files,
      ChunkingStrategy chunking) {
    return knowledge
        .ask(
            caller.tenant(),
            replyTo ->
                new KnowledgeEntity.CreateBatch(
                    call.requestId() + "-files", store, files, Map.of(), chunking, replyTo))
        .thenCompose(
            reply ->
                reply instanceof KnowledgeReply.BatchFound
                    ? knowledge.ask(
                        caller.tenant(), replyTo -> new KnowledgeEntity.GetStore(store, replyTo))
                    : CompletableFuture.completedFuture(reply));
  }

  CompletionStage<HttpResponse> list(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return Paging.of(call, PageRequest.LIMIT_MAX)
        .then(
            page ->
                knowledge.answer(
                    caller.tenant(),
                    replyTo -> new KnowledgeEntity.ListStores(page, replyTo),
                    reply ->
                        reply instanceof KnowledgeReply.StorePage stores
                            ? Replies.json(
                                200,
                                KnowledgeJson.page(
                                    stores.stores(),
                                    stores.hasMore(),
                                    one -> KnowledgeJson.store(one, clock.instant()),
                                    one -> one.id()))
                            : KnowledgePort.unexpected(reply)));
  }

  CompletionStage<HttpResponse> get(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.GetStore(storeId(call), replyTo),
        this::store);
  }

  CompletionStage<HttpResponse> update(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return KnowledgeBodies.read(
        call,
        body -> {
          String name = body.text("name", KnowledgeBodies.NAME_LENGTH_MAX);
          boolean hasMetadata = body.node("metadata") != null;
          Map<String, String> metadata = KnowledgeBodies.metadata(body);
          Integer days = KnowledgeBodies.expiresAfterDays(body);
          if (!body.isClean()) {
            return KnowledgeBodies.bad(body);
          }
          return knowledge.answer(
              caller.tenant(),
              replyTo ->
                  new KnowledgeEntity.UpdateStore(
                      storeId(call), name, hasMetadata ? metadata : null, days, replyTo),
              this::store);
        });
  }

  CompletionStage<HttpResponse> delete(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.DeleteStore(storeId(call), replyTo),
        StoreRoutes::deleted);
  }

  CompletionStage<HttpResponse> search(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return KnowledgeBodies.read(
        call,
        body -> {
          JsonNode query = body.node("query");
          String text = null;
          if (query != null && query.isArray() && query.size() == 1) {
            text = query.get(0).asText(null);
          } else if (query != null && !query.isTextual()) {
            body.error("query", "must be a string, or a list with one string");
          } else {
            text = body.text("query", QUERY_LENGTH_MAX);
          }
          if (text == null && body.isClean()) {
            body.error("query", "is missing");
          }
          int results = body.integer("max_num_results", 1, RESULTS_MAX, RESULTS_DEFAULT);
          double scoreMin =
              body.node("ranking_options") == null
                  ? 0
                  : body.object("ranking_options").number("score_threshold", 0, 1, 0);
          AttributeFilter filter = KnowledgeBodies.filter(body);
          if (!body.isClean() || text == null) {
            return KnowledgeBodies.bad(body);
          }
          String question = text;
          return knowledge.answer(
              caller.tenant(),
              replyTo ->
                  new KnowledgeEntity.Search(
                      question, List.of(storeId(call)), results, filter, scoreMin, replyTo),
              reply -> found(question, reply));
        });
  }

  private static HttpResponse found(String question, KnowledgeReply reply) {
    if (!(reply instanceof KnowledgeReply.Found found)) {
      return KnowledgePort.unexpected(reply);
    }
    ObjectNode node = Json.object().put("object", "vector_store.search_results.page");
    node.putArray("search_query").add(question);
    var data = node.putArray("data");
    found.result().passages().forEach(passage -> data.add(KnowledgeJson.passage(passage)));
    return Replies.json(200, node.put("has_more", false).putNull("next_page"));
  }

  private HttpResponse store(KnowledgeReply reply) {
    return switch (reply) {
      case KnowledgeReply.StoreFound found ->
          Replies.json(200, KnowledgeJson.store(found.store(), clock.instant()));
      case KnowledgeReply.Refusal refusal -> Replies.openAiError(KnowledgeJson.refusal(refusal));
      default -> KnowledgePort.unexpected(reply);
    };
  }

  static HttpResponse deleted(KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.Deleted deleted
        ? Replies.json(200, KnowledgeJson.deleted(deleted))
        : KnowledgePort.unexpected(reply);
  }

  static String storeId(Call call) {
    return call.segments().get(2);
  }
}
