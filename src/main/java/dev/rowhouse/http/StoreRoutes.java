package dev.rowhouse.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.retrieval.AttributeFilter;
import dev.rowhouse.retrieval.ChunkingStrategy;
import dev.rowhouse.retrieval.FileStatus;
import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.retrieval.PageRequest;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.tenant.FieldReader;
import dev.rowhouse.tenant.TenantProfile;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/** {@code /v1/vector_stores} and what is below it. */
final class StoreRoutes {
  private static final long BODY_BYTES_MAX = 1024 * 1024;
  private static final int NAME_LENGTH_MAX = 256;
  private static final int FILES_MAX = 500;
  private static final int QUERY_LENGTH_MAX = 8 * 1024;
  private static final int RESULTS_MAX = 50;
  private static final int RESULTS_DEFAULT = 10;

  /** Without it an SDK waits five seconds between two looks at a file's status. */
  private static final String POLL_AFTER_HEADER = "openai-poll-after-ms";

  private static final String POLL_AFTER_MILLIS = "200";

  private final KnowledgePort knowledge;
  private final InstantSource clock;

  StoreRoutes(KnowledgePort knowledge, InstantSource clock) {
    this.knowledge = knowledge;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> create(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
        call,
        body -> {
          String name = body.text("name", NAME_LENGTH_MAX);
          Map<String, String> metadata = KnowledgeBodies.metadata(body);
          Integer days = KnowledgeBodies.expiresAfterDays(body);
          List<String> files = body.texts("file_ids", FILES_MAX, NAME_LENGTH_MAX);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean()) {
            return bad(body);
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
    return ask(
        caller, replyTo -> new KnowledgeEntity.GetStore(storeId(call), replyTo), this::store);
  }

  CompletionStage<HttpResponse> update(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
        call,
        body -> {
          String name = body.text("name", NAME_LENGTH_MAX);
          boolean hasMetadata = body.node("metadata") != null;
          Map<String, String> metadata = KnowledgeBodies.metadata(body);
          Integer days = KnowledgeBodies.expiresAfterDays(body);
          if (!body.isClean()) {
            return bad(body);
          }
          return ask(
              caller,
              replyTo ->
                  new KnowledgeEntity.UpdateStore(
                      storeId(call), name, hasMetadata ? metadata : null, days, replyTo),
              this::store);
        });
  }

  CompletionStage<HttpResponse> delete(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return ask(
        caller,
        replyTo -> new KnowledgeEntity.DeleteStore(storeId(call), replyTo),
        StoreRoutes::deleted);
  }

  CompletionStage<HttpResponse> attach(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
        call,
        body -> {
          String file = body.text("file_id", NAME_LENGTH_MAX);
          if (file == null) {
            body.error("file_id", "is missing");
          }
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean() || file == null) {
            return bad(body);
          }
          return ask(
              caller,
              replyTo ->
                  new KnowledgeEntity.AttachFile(
                      storeId(call), file, attributes, chunking, replyTo),
              StoreRoutes::storeFile);
        });
  }

  CompletionStage<HttpResponse> files(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return filePage(
        call,
        (page, status) ->
            ask(
                caller,
                replyTo -> new KnowledgeEntity.ListStoreFiles(storeId(call), page, status, replyTo),
                StoreRoutes::storeFiles));
  }

  CompletionStage<HttpResponse> file(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return ask(
        caller,
        replyTo -> new KnowledgeEntity.GetStoreFile(storeId(call), partId(call), replyTo),
        StoreRoutes::storeFile);
  }

  CompletionStage<HttpResponse> updateFile(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
        call,
        body -> {
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          if (!body.isClean()) {
            return bad(body);
          }
          return ask(
              caller,
              replyTo ->
                  new KnowledgeEntity.UpdateStoreFile(
                      storeId(call), partId(call), attributes, replyTo),
              StoreRoutes::storeFile);
        });
  }

  CompletionStage<HttpResponse> detach(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return ask(
        caller,
        replyTo -> new KnowledgeEntity.DetachFile(storeId(call), partId(call), replyTo),
        StoreRoutes::deleted);
  }

  /** The parsed text of a file, in pages. */
  CompletionStage<HttpResponse> fileContent(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    String from = call.query("from");
    if (from != null && !from.matches("[0-9]{1,9}")) {
      return CompletableFuture.completedFuture(
          Replies.openAiError(Replies.badRequest("from", "from must be a whole number.")));
    }
    int ordinal = from == null ? 0 : Integer.parseInt(from);
    return ask(
        caller,
        replyTo ->
            new KnowledgeEntity.StoreFileContent(storeId(call), partId(call), ordinal, replyTo),
        reply -> {
          if (!(reply instanceof KnowledgeReply.ContentPage page)) {
            return KnowledgePort.unexpected(reply);
          }
          ObjectNode node =
              Json.object()
                  .put("object", "vector_store.file_content.page")
                  .put("file_id", page.file().fileId());
          var data = node.putArray("data");
          page.texts().forEach(text -> data.addObject().put("type", "text").put("text", text));
          node.put("has_more", page.hasMore());
          return Replies.json(
              200, node.put("next_page", page.hasMore() ? "?from=" + page.nextOrdinal() : null));
        });
  }

  CompletionStage<HttpResponse> createBatch(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
        call,
        body -> {
          List<String> files = body.texts("file_ids", FILES_MAX, NAME_LENGTH_MAX);
          if (files.isEmpty() && body.isClean()) {
            body.error("file_ids", "must be a list of file ids that is not empty");
          }
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean()) {
            return bad(body);
          }
          return ask(
              caller,
              replyTo ->
                  new KnowledgeEntity.CreateBatch(
                      call.requestId(), storeId(call), files, attributes, chunking, replyTo),
              StoreRoutes::batch);
        });
  }

  CompletionStage<HttpResponse> batch(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return ask(
        caller,
        replyTo -> new KnowledgeEntity.GetBatch(storeId(call), partId(call), replyTo),
        StoreRoutes::batch);
  }

  CompletionStage<HttpResponse> cancelBatch(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return ask(
        caller,
        replyTo -> new KnowledgeEntity.CancelBatch(storeId(call), partId(call), replyTo),
        StoreRoutes::batch);
  }

  CompletionStage<HttpResponse> batchFiles(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return filePage(
        call,
        (page, status) ->
            ask(
                caller,
                replyTo ->
                    new KnowledgeEntity.ListBatchFiles(
                        storeId(call), partId(call), page, status, replyTo),
                StoreRoutes::storeFiles));
  }

  CompletionStage<HttpResponse> search(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return withBody(
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
            return bad(body);
          }
          String question = text;
          return ask(
              caller,
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

  private CompletionStage<HttpResponse> ask(
      TenantPlane.Caller caller,
      Function<ActorRef<KnowledgeReply>, KnowledgeEntity.Command> command,
      Function<KnowledgeReply, HttpResponse> good) {
    return knowledge.answer(caller.tenant(), command, good);
  }

  private HttpResponse store(KnowledgeReply reply) {
    return switch (reply) {
      case KnowledgeReply.StoreFound found ->
          Replies.json(200, KnowledgeJson.store(found.store(), clock.instant()));
      case KnowledgeReply.Refusal refusal -> Replies.openAiError(KnowledgeJson.refusal(refusal));
      default -> KnowledgePort.unexpected(reply);
    };
  }

  private static HttpResponse storeFile(KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.StoreFileFound found
        ? polled(KnowledgeJson.storeFile(found.file()))
        : KnowledgePort.unexpected(reply);
  }

  private static HttpResponse storeFiles(KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.StoreFilePage page
        ? Replies.json(
            200,
            KnowledgeJson.page(
                page.files(), page.hasMore(), KnowledgeJson::storeFile, file -> file.fileId()))
        : KnowledgePort.unexpected(reply);
  }

  private static HttpResponse batch(KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.BatchFound found
        ? polled(KnowledgeJson.batch(found.batch()))
        : KnowledgePort.unexpected(reply);
  }

  private static HttpResponse deleted(KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.Deleted deleted
        ? Replies.json(200, KnowledgeJson.deleted(deleted))
        : KnowledgePort.unexpected(reply);
  }

  private static HttpResponse polled(ObjectNode node) {
    return Replies.json(200, node)
        .addHeader(RawHeader.create(POLL_AFTER_HEADER, POLL_AFTER_MILLIS));
  }

  /** What lists one page of files, with a status to filter by or none. */
  @FunctionalInterface
  private interface FileLister {
    CompletionStage<HttpResponse> list(PageRequest page, @Nullable FileStatus status);
  }

  private static CompletionStage<HttpResponse> filePage(Call call, FileLister lister) {
    String filter = call.query("filter");
    FileStatus status = null;
    if (filter != null) {
      for (FileStatus one : FileStatus.values()) {
        if (one.wireName().equals(filter)) {
          status = one;
        }
      }
      if (status == null) {
        return CompletableFuture.completedFuture(
            Replies.openAiError(
                Replies.badRequest(
                    "filter", "filter must be in_progress, completed, failed or cancelled.")));
      }
    }
    FileStatus wanted = status;
    return Paging.of(call, PageRequest.LIMIT_MAX).then(page -> lister.list(page, wanted));
  }

  private static CompletionStage<HttpResponse> withBody(
      Call call, Function<FieldReader, CompletionStage<HttpResponse>> next) {
    return call.withBody(
        BODY_BYTES_MAX,
        Replies::openAiError,
        bytes ->
            switch (bytes.isEmpty()
                ? new Json.Parsed.Document(Json.object())
                : Json.parseObject(bytes)) {
              case Json.Parsed.Broken broken ->
                  CompletableFuture.completedFuture(Replies.openAiError(broken.refusal()));
              case Json.Parsed.Document document -> next.apply(FieldReader.of(document.root()));
            });
  }

  private static CompletionStage<HttpResponse> bad(FieldReader body) {
    return CompletableFuture.completedFuture(Replies.openAiError(ChatRoute.refusal(body.errors())));
  }

  private static String storeId(Call call) {
    return call.segments().get(2);
  }

  private static String partId(Call call) {
    return call.segments().get(4);
  }
}
