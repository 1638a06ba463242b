package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.retrieval.ChunkingStrategy;
import dev.rowhouse.retrieval.FileStatus;
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
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/** The files of a vector store, one by one and in batches. */
final class StoreFileRoutes {
  /** Without it an SDK waits five seconds between two looks at a file's status. */
  private static final String POLL_AFTER_HEADER = "openai-poll-after-ms";

  private static final String POLL_AFTER_MILLIS = "200";

  /** How long the answer to an attachment waits for the file to become searchable. */
  private static final long ATTACH_WAIT_MILLIS = 2_000;

  private static final long ATTACH_LOOK_MILLIS = 50;

  private final KnowledgePort knowledge;
  private final InstantSource clock;

  StoreFileRoutes(KnowledgePort knowledge, InstantSource clock) {
    this.knowledge = knowledge;
    this.clock = clock;
  }

  CompletionStage<HttpResponse> attach(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return KnowledgeBodies.read(
        call,
        body -> {
          String file = body.text("file_id", KnowledgeBodies.NAME_LENGTH_MAX);
          if (file == null) {
            body.error("file_id", "is missing");
          }
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean() || file == null) {
            return KnowledgeBodies.bad(body);
          }
          return knowledge
              .ask(
                  caller.tenant(),
                  replyTo ->
                      new KnowledgeEntity.AttachFile(
                          StoreRoutes.storeId(call), file, attributes, chunking, replyTo))
              .thenCompose(
                  reply ->
                      settled(
                          caller,
                          StoreRoutes.storeId(call),
                          reply,
                          clock.millis() + ATTACH_WAIT_MILLIS))
              .thenApply(
                  reply ->
                      reply instanceof KnowledgeReply.Refusal refusal
                          ? Replies.openAiError(KnowledgeJson.refusal(refusal))
                          : storeFile(reply));
        });
  }

  /** A small file is searchable in a moment: the answer waits for that moment, and no longer. */
  private CompletionStage<KnowledgeReply> settled(
      TenantPlane.Caller caller, String store, KnowledgeReply reply, long untilMillis) {
    boolean inProgress =
        reply instanceof KnowledgeReply.StoreFileFound found
            && found.file().status() == FileStatus.IN_PROGRESS;
    if (!inProgress || clock.millis() >= untilMillis) {
      return CompletableFuture.completedFuture(reply);
    }
    String file = ((KnowledgeReply.StoreFileFound) reply).file().fileId();
    return knowledge
        .later(
            ATTACH_LOOK_MILLIS,
            caller.tenant(),
            replyTo -> new KnowledgeEntity.GetStoreFile(store, file, replyTo))
        .thenCompose(now -> settled(caller, store, now, untilMillis));
  }

  CompletionStage<HttpResponse> files(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return filePage(
        call,
        (page, status) ->
            knowledge.answer(
                caller.tenant(),
                replyTo ->
                    new KnowledgeEntity.ListStoreFiles(
                        StoreRoutes.storeId(call), page, status, replyTo),
                StoreFileRoutes::storeFiles));
  }

  CompletionStage<HttpResponse> file(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo ->
            new KnowledgeEntity.GetStoreFile(StoreRoutes.storeId(call), partId(call), replyTo),
        StoreFileRoutes::storeFile);
  }

  CompletionStage<HttpResponse> updateFile(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return KnowledgeBodies.read(
        call,
        body -> {
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          if (!body.isClean()) {
            return KnowledgeBodies.bad(body);
          }
          return knowledge.answer(
              caller.tenant(),
              replyTo ->
                  new KnowledgeEntity.UpdateStoreFile(
                      StoreRoutes.storeId(call), partId(call), attributes, replyTo),
              StoreFileRoutes::storeFile);
        });
  }

  CompletionStage<HttpResponse> detach(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.DetachFile(StoreRoutes.storeId(call), partId(call), replyTo),
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
    return knowledge.answer(
        caller.tenant(),
        replyTo ->
            new KnowledgeEntity.StoreFileContent(
                StoreRoutes.storeId(call), partId(call), ordinal, replyTo),
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
    return KnowledgeBodies.read(
        call,
        body -> {
          List<String> files =
              body.texts("file_ids", KnowledgeBodies.FILES_MAX, KnowledgeBodies.NAME_LENGTH_MAX);
          if (files.isEmpty() && body.isClean()) {
            body.error("file_ids", "must be a list of file ids that is not empty");
          }
          Map<String, Object> attributes = KnowledgeBodies.attributes(body);
          ChunkingStrategy chunking = KnowledgeBodies.chunking(body);
          if (!body.isClean()) {
            return KnowledgeBodies.bad(body);
          }
          return knowledge.answer(
              caller.tenant(),
              replyTo ->
                  new KnowledgeEntity.CreateBatch(
                      call.requestId(),
                      StoreRoutes.storeId(call),
                      files,
                      attributes,
                      chunking,
                      replyTo),
              StoreFileRoutes::batch);
        });
  }

  CompletionStage<HttpResponse> batch(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.GetBatch(StoreRoutes.storeId(call), partId(call), replyTo),
        StoreFileRoutes::batch);
  }

  CompletionStage<HttpResponse> cancelBatch(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo ->
            new KnowledgeEntity.CancelBatch(StoreRoutes.storeId(call), partId(call), replyTo),
        StoreFileRoutes::batch);
  }

  CompletionStage<HttpResponse> batchFiles(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return filePage(
        call,
        (page, status) ->
            knowledge.answer(
                caller.tenant(),
                replyTo ->
                    new KnowledgeEntity.ListBatchFiles(
                        StoreRoutes.storeId(call), partId(call), page, status, replyTo),
                StoreFileRoutes::storeFiles));
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

  private static String partId(Call call) {
    return call.segments().get(4);
  }
}
