package dev.rowhouse.http;

import dev.rowhouse.retrieval.KnowledgeEntity;
import dev.rowhouse.retrieval.KnowledgeReply;
import dev.rowhouse.retrieval.PageRequest;
import dev.rowhouse.serving.LimitsView;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantProfile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Multipart;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/files}. A file travels to its tenant in pieces, because a message has a size limit.
 */
final class FileRoutes {
  private static final int PIECE_BYTES = 128 * 1024;

  /** What multipart framing may add to the file itself. */
  private static final long FRAMING_BYTES = 64 * 1024;

  private static final int PART_TEXT_MAX = 1_024;

  private final KnowledgePort knowledge;
  private final long fileBytesMax;

  FileRoutes(KnowledgePort knowledge, long fileBytesMax) {
    this.knowledge = knowledge;
    this.fileBytesMax = fileBytesMax;
  }

  /** What a multipart form had in it. */
  private static final class Form {
    private @Nullable ByteString content;
    private @Nullable String filename;
    private @Nullable String purpose;
  }

  CompletionStage<HttpResponse> upload(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    if (!call.request().entity().getContentType().mediaType().isMultipart()) {
      call.request().discardEntityBytes(call.materializer());
      return bad("file", "The body must be multipart/form-data with the parts file and purpose.");
    }
    return call.withBody(
        fileBytesMax + FRAMING_BYTES,
        Replies::openAiError,
        bytes ->
            read(call, bytes)
                .handle(
                    (form, failure) ->
                        form == null
                            ? bad("file", "The multipart body cannot be read.")
                            : store(call, caller.tenant(), form))
                .thenCompose(stage -> stage));
  }

  private CompletionStage<Form> read(Call call, ByteString bytes) {
    Materializer materializer = call.materializer();
    Form form = new Form();
    return Unmarshaller.entityToMultipartFormData()
        .unmarshal(
            HttpEntities.create(call.request().entity().getContentType(), bytes), materializer)
        .thenCompose(
            (Multipart.FormData data) ->
                data.getParts()
                    .mapAsync(1, part -> readPart(part, form, materializer))
                    .runWith(Sink.ignore(), materializer))
        .thenApply(done -> form);
  }

  private CompletionStage<Form> readPart(
      Multipart.FormData.BodyPart part, Form form, Materializer materializer) {
    return part.getEntity()
        .toStrict(Call.BODY_TIMEOUT_MILLIS, materializer)
        .thenApply(
            strict -> {
              ByteString data = strict.getData();
              switch (part.getName()) {
                case "file" -> {
                  form.content = data;
                  form.filename = part.getFilename().orElse("upload.txt");
                }
                case "purpose" -> form.purpose = data.take(PART_TEXT_MAX).utf8String();
                default -> {}
              }
              return form;
            });
  }

  private CompletionStage<HttpResponse> store(Call call, TenantId tenant, Form form) {
    ByteString content = form.content;
    String filename = form.filename;
    if (content == null || filename == null) {
      return bad("file", "The part file is missing.");
    }
    if (content.size() > fileBytesMax) {
      return CompletableFuture.completedFuture(Replies.openAiError(Call.tooLarge(fileBytesMax)));
    }
    String purpose = form.purpose;
    if (purpose == null || purpose.isBlank()) {
      return bad("purpose", "The part purpose is missing; use assistants or user_data.");
    }
    int pieces = Math.max(1, (content.size() + PIECE_BYTES - 1) / PIECE_BYTES);
    return knowledge
        .ask(
            tenant,
            replyTo ->
                new KnowledgeEntity.BeginUpload(call.requestId(), filename, purpose, replyTo))
        .thenCompose(
            reply ->
                reply instanceof KnowledgeReply.UploadReady ready
                    ? append(tenant, ready.uploadId(), content, 0, pieces)
                    : CompletableFuture.completedFuture(reply))
        .thenApply(
            reply ->
                switch (reply) {
                  case KnowledgeReply.FileFound found ->
                      Replies.json(200, KnowledgeJson.file(found.file()));
                  case KnowledgeReply.Refusal refusal ->
                      Replies.openAiError(KnowledgeJson.refusal(refusal));
                  default -> KnowledgePort.unexpected(reply);
                });
  }

  private CompletionStage<KnowledgeReply> append(
      TenantId tenant, String upload, ByteString content, int ordinal, int pieces) {
    if (ordinal == pieces) {
      return knowledge.ask(
          tenant, replyTo -> new KnowledgeEntity.FinishUpload(upload, pieces, replyTo));
    }
    int from = ordinal * PIECE_BYTES;
    byte[] piece = content.slice(from, Math.min(content.size(), from + PIECE_BYTES)).toArray();
    return knowledge
        .ask(tenant, replyTo -> new KnowledgeEntity.AppendUpload(upload, ordinal, piece, replyTo))
        .thenCompose(
            reply ->
                reply instanceof KnowledgeReply.PieceStored
                    ? append(tenant, upload, content, ordinal + 1, pieces)
                    : CompletableFuture.completedFuture(reply));
  }

  CompletionStage<HttpResponse> list(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return Paging.of(call, PageRequest.LIMIT_MAX)
        .then(
            page ->
                knowledge.answer(
                    caller.tenant(),
                    replyTo -> new KnowledgeEntity.ListFiles(page, call.query("purpose"), replyTo),
                    reply ->
                        reply instanceof KnowledgeReply.FilePage files
                            ? Replies.json(
                                200,
                                KnowledgeJson.page(
                                    files.files(),
                                    files.hasMore(),
                                    KnowledgeJson::file,
                                    file -> file.id()))
                            : KnowledgePort.unexpected(reply)));
  }

  CompletionStage<HttpResponse> get(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.GetFile(call.segments().get(2), replyTo),
        reply ->
            reply instanceof KnowledgeReply.FileFound found
                ? Replies.json(200, KnowledgeJson.file(found.file()))
                : KnowledgePort.unexpected(reply));
  }

  CompletionStage<HttpResponse> delete(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return knowledge.answer(
        caller.tenant(),
        replyTo -> new KnowledgeEntity.DeleteFile(call.segments().get(2), replyTo),
        reply ->
            reply instanceof KnowledgeReply.Deleted deleted
                ? Replies.json(
                    200,
                    Json.object()
                        .put("id", deleted.id())
                        .put("object", "file")
                        .put("deleted", true))
                : KnowledgePort.unexpected(reply));
  }

  CompletionStage<HttpResponse> content(
      Call call, TenantPlane.Caller caller, TenantProfile profile, LimitsView limits) {
    return content(caller.tenant(), call.segments().get(2), 0, ByteString.emptyByteString());
  }

  private CompletionStage<HttpResponse> content(
      TenantId tenant, String file, int ordinal, ByteString before) {
    return knowledge
        .ask(tenant, replyTo -> new KnowledgeEntity.FileContent(file, ordinal, replyTo))
        .thenCompose(
            reply ->
                switch (reply) {
                  case KnowledgeReply.FilePiece piece -> {
                    ByteString all = before.concat(ByteString.fromArrayUnsafe(piece.content()));
                    yield ordinal + 1 < piece.pieces()
                        ? content(tenant, file, ordinal + 1, all)
                        : CompletableFuture.completedFuture(
                            HttpResponse.create()
                                .withEntity(
                                    HttpEntities.create(
                                        ContentTypes.APPLICATION_OCTET_STREAM, all)));
                  }
                  case KnowledgeReply.Refusal refusal ->
                      CompletableFuture.completedFuture(
                          Replies.openAiError(KnowledgeJson.refusal(refusal)));
                  default -> CompletableFuture.completedFuture(KnowledgePort.unexpected(reply));
                });
  }

  private static CompletionStage<HttpResponse> bad(String param, String message) {
    return CompletableFuture.completedFuture(
        Replies.openAiError(Replies.badRequest(param, message)));
  }
}
