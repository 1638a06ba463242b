package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.retrieval.KnowledgeEntity.Request;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * The operations of one tenant's knowledge, each on the blocking executor: what {@link
 * KnowledgeEntity} lets run. It keeps no state but the open indexes.
 */
final class TenantKnowledge {
  private final IndexDirectories directories;
  private final DocumentStore documents;
  private final TenantIndex index;
  private final Embedder embedder;
  private final RetrievalSettings settings;
  private final Executor blocking;
  private final FileOperations files;
  private final StoreOperations stores;
  private final BatchOperations batches;
  private final SearchOperation search;

  /**
   * @param directories of the node; this tenant's is in use until {@link #close}
   */
  TenantKnowledge(
      TenantId tenant,
      Storage storage,
      DataKeys keys,
      Embedder embedder,
      RetrievalSettings settings,
      IndexDirectories directories,
      Executor blocking,
      InstantSource clock) {
    this.directories = directories;
    this.documents = DocumentStore.open(storage, tenant, keys);
    this.index =
        new TenantIndex(
            directories.enter(tenant),
            documents,
            embedder.model(),
            settings.index(),
            blocking,
            clock);
    this.embedder = embedder;
    this.settings = settings;
    this.blocking = blocking;
    this.files = new FileOperations(tenant, documents, settings, clock);
    this.stores = new StoreOperations(tenant, documents, settings, clock);
    this.batches = new BatchOperations(tenant, documents, stores, settings, clock);
    this.search =
        new SearchOperation(documents, stores, index, embedder, settings, blocking, clock);
  }

  CompletionStage<KnowledgeReply> answer(Request request) {
    return switch (request) {
      case KnowledgeEntity.Search query -> search.run(query);
      case KnowledgeEntity.Erase _ -> erase();
      case KnowledgeEntity.DeleteStore delete ->
          run(() -> stores.delete(delete)).thenCompose(reply -> drop(delete.storeId(), reply));
      case KnowledgeEntity.BeginUpload begin -> run(() -> files.begin(begin));
      case KnowledgeEntity.AppendUpload append -> run(() -> files.append(append));
      case KnowledgeEntity.FinishUpload finish -> run(() -> files.finish(finish));
      case KnowledgeEntity.GetFile get -> run(() -> files.get(get));
      case KnowledgeEntity.ListFiles list -> run(() -> files.list(list));
      case KnowledgeEntity.FileContent content -> run(() -> files.content(content));
      case KnowledgeEntity.DeleteFile delete -> run(() -> files.delete(delete));
      case KnowledgeEntity.CreateStore create -> run(() -> stores.create(create));
      case KnowledgeEntity.GetStore get -> run(() -> stores.get(get));
      case KnowledgeEntity.ListStores list -> run(() -> stores.list(list));
      case KnowledgeEntity.UpdateStore update -> run(() -> stores.update(update));
      case KnowledgeEntity.AttachFile attach -> run(() -> batches.attach(attach));
      case KnowledgeEntity.GetStoreFile get -> run(() -> batches.getStoreFile(get));
      case KnowledgeEntity.ListStoreFiles list -> run(() -> batches.listStoreFiles(list));
      case KnowledgeEntity.UpdateStoreFile update -> run(() -> batches.updateStoreFile(update));
      case KnowledgeEntity.DetachFile detach -> run(() -> batches.detach(detach));
      case KnowledgeEntity.StoreFileContent content -> run(() -> batches.content(content));
      case KnowledgeEntity.CreateBatch create -> run(() -> batches.create(create));
      case KnowledgeEntity.GetBatch get -> run(() -> batches.get(get));
      case KnowledgeEntity.ListBatchFiles list -> run(() -> batches.list(list));
      case KnowledgeEntity.CancelBatch cancel -> run(() -> batches.cancel(cancel));
    };
  }

  private CompletableFuture<KnowledgeReply> run(Supplier<KnowledgeReply> operation) {
    return CompletableFuture.supplyAsync(operation, blocking);
  }

  private CompletionStage<KnowledgeReply> drop(String store, KnowledgeReply reply) {
    return reply instanceof KnowledgeReply.Deleted
        ? index.drop(store).thenApply(_ -> reply)
        : CompletableFuture.completedFuture(reply);
  }

  private CompletionStage<KnowledgeReply> erase() {
    return CompletableFuture.supplyAsync(documents::erase, blocking)
        .thenCompose(
            removed ->
                index
                    .erase()
                    .thenApply(
                        _ ->
                            new KnowledgeReply.Erased(
                                removed.files(), removed.stores(), removed.chunks())));
  }

  /** The oldest file that is in progress. */
  CompletionStage<Optional<Ingestion>> nextIngestion() {
    return CompletableFuture.supplyAsync(
        () -> {
          List<StoreFile> waiting = documents.storeFiles().inProgress(1);
          return waiting.stream()
              .findFirst()
              .map(file -> new Ingestion(documents, embedder, settings.ingest(), file));
        },
        blocking);
  }

  /** One step; after the last the index follows, so that the next search need not wait for it. */
  CompletionStage<Ingestion.Outcome> step(Ingestion job) {
    return CompletableFuture.supplyAsync(job::step, blocking)
        .thenCompose(
            outcome ->
                outcome instanceof Ingestion.Completed
                    ? index
                        .ready(job.store())
                        .handle(
                            (reader, failure) -> {
                              SearchOperation.release(reader);
                              return outcome;
                            })
                    : CompletableFuture.completedFuture(outcome));
  }

  /** Gives a file up after too many broken attempts. */
  CompletionStage<Boolean> giveUp(Ingestion job) {
    return CompletableFuture.supplyAsync(
        () -> {
          FileError error = FileError.server("the file could not be ingested; attach it again");
          documents.storeFiles().fail(job.store(), job.file(), error);
          return true;
        },
        blocking);
  }

  void closeIdle(Instant now) {
    index.closeIdle(now, settings.entity().indexIdle());
  }

  CompletionStage<?> close() {
    return index.close().whenComplete((_, _) -> directories.leave(documents.tenant()));
  }
}
