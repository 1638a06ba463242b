package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What can be done with a tenant's files. Calls block. */
final class FileOperations {
  private static final int FILENAME_CHARS_MAX = 255;
  private static final Set<String> PURPOSES =
      Set.of("assistants", "user_data", "batch", "fine-tune", "vision", "evals");
  private static final long UPLOADS_RETRY_MILLIS = 5_000;

  private final TenantId tenant;
  private final DocumentStore documents;
  private final RetrievalSettings.Files limits;
  private final int replyBytesMax;
  private final InstantSource clock;

  FileOperations(
      TenantId tenant, DocumentStore documents, RetrievalSettings settings, InstantSource clock) {
    this.tenant = tenant;
    this.documents = documents;
    this.limits = settings.files();
    this.replyBytesMax = settings.search().replyBytesMax();
    this.clock = clock;
  }

  KnowledgeReply begin(KnowledgeEntity.BeginUpload begin) {
    if (!PURPOSES.contains(begin.purpose())) {
      return new KnowledgeReply.Invalid("purpose", "purpose is one of " + PURPOSES);
    }
    String name = begin.filename();
    if (name.isBlank()
        || name.length() > FILENAME_CHARS_MAX
        || name.chars().anyMatch(Character::isISOControl)) {
      return new KnowledgeReply.Invalid("file", "a file name has 1 to 255 printable characters");
    }
    FileTable.Held held = documents.files().held();
    if (held.uploads() >= limits.uploadsOpenMax()) {
      documents.files().deleteUploadsBefore(clock.instant().minus(limits.uploadTimeout()));
      if (documents.files().held().uploads() >= limits.uploadsOpenMax()) {
        return new KnowledgeReply.Busy(UPLOADS_RETRY_MILLIS);
      }
    }
    if (held.files() >= limits.perTenantMax()) {
      return new KnowledgeReply.TooLarge("the tenant has too many files", limits.perTenantMax());
    }
    if (held.bytes() >= limits.bytesPerTenantMax()) {
      return new KnowledgeReply.TooLarge(
          "the tenant's files are too large together", limits.bytesPerTenantMax());
    }
    String id = Ids.file(tenant, begin.requestId());
    documents.files().begin(id, name, begin.purpose(), clock.instant());
    return new KnowledgeReply.UploadReady(id);
  }

  KnowledgeReply append(KnowledgeEntity.AppendUpload append) {
    if (append.content().length > limits.pieceBytesMax()) {
      return new KnowledgeReply.TooLarge("the piece is too large", limits.pieceBytesMax());
    }
    if (append.ordinal() < 0 || append.content().length == 0) {
      return new KnowledgeReply.Invalid("file", "a piece has an ordinal from 0 on and a content");
    }
    return switch (documents
        .files()
        .append(append.uploadId(), append.ordinal(), append.content(), limits.bytesMax())) {
      case STORED -> new KnowledgeReply.PieceStored(append.uploadId(), append.ordinal());
      case UNKNOWN_UPLOAD -> new KnowledgeReply.NotFound("upload", append.uploadId());
      case TOO_LARGE -> new KnowledgeReply.TooLarge("the file is too large", limits.bytesMax());
    };
  }

  KnowledgeReply finish(KnowledgeEntity.FinishUpload finish) {
    if (!documents.files().finish(finish.uploadId(), finish.pieces())) {
      return documents.files().exists(finish.uploadId())
          ? new KnowledgeReply.Invalid("file", "not all pieces have arrived")
          : new KnowledgeReply.NotFound("upload", finish.uploadId());
    }
    return found(finish.uploadId());
  }

  KnowledgeReply get(KnowledgeEntity.GetFile get) {
    return found(get.fileId());
  }

  private KnowledgeReply found(String id) {
    StoredFile file = documents.files().get(id);
    return file == null
        ? new KnowledgeReply.NotFound("file", id)
        : new KnowledgeReply.FileFound(file);
  }

  KnowledgeReply list(KnowledgeEntity.ListFiles list) {
    @Nullable Page<StoredFile> page = documents.files().list(list.page(), list.purpose());
    if (page == null) {
      return new KnowledgeReply.NotFound("file", String.valueOf(list.page().after()));
    }
    Page<StoredFile> cut =
        page.within(replyBytesMax, file -> Page.size(file.filename()) + Page.ITEM_BYTES);
    return new KnowledgeReply.FilePage(cut.items(), cut.hasMore());
  }

  KnowledgeReply content(KnowledgeEntity.FileContent content) {
    String id = content.fileId();
    if (documents.files().get(id) == null) {
      return new KnowledgeReply.NotFound("file", id);
    }
    int pieces = documents.files().pieces(id);
    if (pieces == 0) {
      return new KnowledgeReply.FilePiece(id, 0, 0, new byte[0]);
    }
    byte[] piece = documents.files().piece(id, content.ordinal());
    return piece == null
        ? new KnowledgeReply.Invalid("ordinal", "the file has " + pieces + " pieces")
        : new KnowledgeReply.FilePiece(id, content.ordinal(), pieces, piece);
  }

  KnowledgeReply delete(KnowledgeEntity.DeleteFile delete) {
    return documents.files().get(delete.fileId()) != null
            && documents.files().delete(delete.fileId())
        ? new KnowledgeReply.Deleted("file", delete.fileId())
        : new KnowledgeReply.NotFound("file", delete.fileId());
  }
}
