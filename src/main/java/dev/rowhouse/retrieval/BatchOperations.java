package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be done with the files in a tenant's stores, one by one and in batches. Calls block. */
final class BatchOperations {
  private static final String STORE_FILE = "vector_store.file";
  private static final String BATCH = "vector_store.file_batch";
  private static final int CHUNKS_PER_READ = 64;

  /** A full queue moves by about a file in this time. */
  private static final long QUEUE_RETRY_MILLIS = 2_000;

  private final TenantId tenant;
  private final DocumentStore documents;
  private final StoreOperations stores;
  private final RetrievalSettings settings;
  private final InstantSource clock;

  BatchOperations(
      TenantId tenant,
      DocumentStore documents,
      StoreOperations stores,
      RetrievalSettings settings,
      InstantSource clock) {
    this.tenant = tenant;
    this.documents = documents;
    this.stores = stores;
    this.settings = settings;
    this.clock = clock;
  }

  KnowledgeReply attach(KnowledgeEntity.AttachFile attach) {
    KnowledgeReply.Refusal refusal =
        refusal(attach.storeId(), List.of(attach.fileId()), attach.attributes());
    if (refusal != null) {
      return refusal;
    }
    documents
        .storeFiles()
        .attach(
            attach.storeId(),
            attach.fileId(),
            attach.attributes(),
            attach.chunking(),
            clock.instant());
    return found(attach.storeId(), attach.fileId());
  }

  private KnowledgeReply.@Nullable Refusal refusal(
      String store, List<String> files, Map<String, Object> attributes) {
    if (stores.find(store) == null) {
      return StoreOperations.notFound(store);
    }
    String wrong = Attributes.problem(attributes);
    if (wrong != null) {
      return new KnowledgeReply.Invalid("attributes", wrong);
    }
    String missing = documents.files().firstMissing(files);
    if (missing != null) {
      return new KnowledgeReply.NotFound("file", missing);
    }
    int fresh = files.size() - documents.storeFiles().countOf(store, files);
    if (documents.storeFiles().count(store) + fresh > settings.stores().filesMax()) {
      return new KnowledgeReply.TooLarge("the store is full", settings.stores().filesMax());
    }
    if (fresh > 0
        && documents.storeFiles().inProgressCount() + fresh > settings.ingest().queueLengthMax()) {
      return new KnowledgeReply.Busy(QUEUE_RETRY_MILLIS);
    }
    return null;
  }

  KnowledgeReply getStoreFile(KnowledgeEntity.GetStoreFile get) {
    return found(get.storeId(), get.fileId());
  }

  private KnowledgeReply found(String store, String file) {
    StoreFile found = documents.storeFiles().get(store, file);
    return found == null
        ? new KnowledgeReply.NotFound(STORE_FILE, file)
        : new KnowledgeReply.StoreFileFound(found);
  }

  KnowledgeReply listStoreFiles(KnowledgeEntity.ListStoreFiles list) {
    return stores.find(list.storeId()) == null
        ? StoreOperations.notFound(list.storeId())
        : page(list.storeId(), null, list.status(), list.page());
  }

  private KnowledgeReply page(
      String store, @Nullable String batch, @Nullable FileStatus status, PageRequest request) {
    Page<StoreFile> page = documents.storeFiles().list(store, batch, status, request);
    if (page == null) {
      return new KnowledgeReply.NotFound(STORE_FILE, String.valueOf(request.after()));
    }
    Page<StoreFile> cut =
        page.within(
            settings.search().replyBytesMax(),
            file -> Page.size(file.attributes()) + Page.ITEM_BYTES);
    return new KnowledgeReply.StoreFilePage(cut.items(), cut.hasMore());
  }

  KnowledgeReply updateStoreFile(KnowledgeEntity.UpdateStoreFile update) {
    String wrong = Attributes.problem(update.attributes());
    if (wrong != null) {
      return new KnowledgeReply.Invalid("attributes", wrong);
    }
    documents.storeFiles().updateAttributes(update.storeId(), update.fileId(), update.attributes());
    return found(update.storeId(), update.fileId());
  }

  KnowledgeReply detach(KnowledgeEntity.DetachFile detach) {
    return documents.storeFiles().detach(detach.storeId(), detach.fileId())
        ? new KnowledgeReply.Deleted(STORE_FILE, detach.fileId())
        : new KnowledgeReply.NotFound(STORE_FILE, detach.fileId());
  }

  KnowledgeReply content(KnowledgeEntity.StoreFileContent content) {
    StoreFile file = documents.storeFiles().get(content.storeId(), content.fileId());
    if (file == null) {
      return new KnowledgeReply.NotFound(STORE_FILE, content.fileId());
    }
    if (file.status() != FileStatus.COMPLETED) {
      return new KnowledgeReply.ContentPage(file, List.of(), 0, false);
    }
    int from = Math.max(0, content.fromOrdinal());
    List<ChunkTable.Embedded> read =
        documents.chunks().read(file.storeId(), file.fileId(), from, CHUNKS_PER_READ + 1);
    Page<ChunkTable.Embedded> page =
        Page.of(read, CHUNKS_PER_READ)
            .within(settings.search().replyBytesMax(), chunk -> Page.size(chunk.chunk().text()));
    List<String> texts = new ArrayList<>();
    for (ChunkTable.Embedded embedded : page.items()) {
      // The overlaps are a means of search; the content is the document's own.
      texts.add(embedded.chunk().text().substring(embedded.chunk().overlapChars()));
    }
    return new KnowledgeReply.ContentPage(file, texts, from + texts.size(), page.hasMore());
  }

  KnowledgeReply create(KnowledgeEntity.CreateBatch create) {
    List<String> files = List.copyOf(new LinkedHashSet<>(create.fileIds()));
    if (files.isEmpty() || files.size() > settings.stores().batchFilesMax()) {
      return new KnowledgeReply.Invalid(
          "file_ids", "a batch has 1 to " + settings.stores().batchFilesMax() + " files");
    }
    KnowledgeReply.Refusal refusal = refusal(create.storeId(), files, create.attributes());
    if (refusal != null) {
      return refusal;
    }
    String id = Ids.batch(tenant, create.requestId());
    documents.batches().create(id, create.storeId(), files, clock.instant());
    documents
        .storeFiles()
        .attach(create.storeId(), files, create.attributes(), create.chunking(), clock.instant());
    return foundBatch(create.storeId(), id);
  }

  KnowledgeReply get(KnowledgeEntity.GetBatch get) {
    return foundBatch(get.storeId(), get.batchId());
  }

  private KnowledgeReply foundBatch(String store, String id) {
    FileBatch batch = documents.batches().get(id, store);
    return batch == null
        ? new KnowledgeReply.NotFound(BATCH, id)
        : new KnowledgeReply.BatchFound(batch);
  }

  KnowledgeReply list(KnowledgeEntity.ListBatchFiles list) {
    return documents.batches().get(list.batchId(), list.storeId()) == null
        ? new KnowledgeReply.NotFound(BATCH, list.batchId())
        : page(list.storeId(), list.batchId(), list.status(), list.page());
  }

  KnowledgeReply cancel(KnowledgeEntity.CancelBatch cancel) {
    if (documents.batches().get(cancel.batchId(), cancel.storeId()) == null) {
      return new KnowledgeReply.NotFound(BATCH, cancel.batchId());
    }
    documents.batches().cancel(cancel.batchId(), cancel.storeId());
    return foundBatch(cancel.storeId(), cancel.batchId());
  }
}
