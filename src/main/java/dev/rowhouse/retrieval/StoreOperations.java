package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be done with a tenant's stores. Calls block. */
final class StoreOperations {
  private final TenantId tenant;
  private final DocumentStore documents;
  private final RetrievalSettings settings;
  private final InstantSource clock;

  StoreOperations(
      TenantId tenant, DocumentStore documents, RetrievalSettings settings, InstantSource clock) {
    this.tenant = tenant;
    this.documents = documents;
    this.settings = settings;
    this.clock = clock;
  }

  /** The store; the default one is made when it is first asked for. Null when there is none. */
  @Nullable VectorStore find(String id) {
    VectorStore store = documents.stores().get(id);
    if (store == null && id.equals(VectorStore.DEFAULT_ID)) {
      makeDefault();
      return documents.stores().get(id);
    }
    return store;
  }

  private void makeDefault() {
    try {
      documents
          .stores()
          .create(VectorStore.DEFAULT_ID, VectorStore.DEFAULT_ID, Map.of(), null, clock.instant());
    } catch (Sql.Duplicate e) {
      // A read that ran beside this one made it, which is as good.
      return;
    }
  }

  KnowledgeReply create(KnowledgeEntity.CreateStore create) {
    KnowledgeReply.Invalid problem =
        problem(create.name(), create.metadata(), create.expiresAfterDays());
    if (problem != null) {
      return problem;
    }
    String id = Ids.store(tenant, create.requestId());
    if (documents.stores().get(id) == null
        && documents.stores().count() >= settings.stores().perTenantMax()) {
      return new KnowledgeReply.TooLarge(
          "the tenant has too many stores", settings.stores().perTenantMax());
    }
    documents
        .stores()
        .create(id, create.name(), create.metadata(), create.expiresAfterDays(), clock.instant());
    return found(id);
  }

  private static KnowledgeReply.@Nullable Invalid problem(
      @Nullable String name,
      @Nullable Map<String, String> metadata,
      @Nullable Integer expiresAfterDays) {
    if (name != null && name.length() > VectorStore.NAME_CHARS_MAX) {
      return new KnowledgeReply.Invalid("name", "a name has at most 256 characters");
    }
    String wrong = metadata == null ? null : Attributes.problem(metadata);
    if (wrong != null) {
      return new KnowledgeReply.Invalid("metadata", wrong);
    }
    if (expiresAfterDays != null
        && (expiresAfterDays < 0 || expiresAfterDays > VectorStore.EXPIRES_DAYS_MAX)) {
      return new KnowledgeReply.Invalid("expires_after.days", "days are between 1 and 365");
    }
    return null;
  }

  KnowledgeReply get(KnowledgeEntity.GetStore get) {
    return found(get.storeId());
  }

  private KnowledgeReply found(String id) {
    VectorStore store = find(id);
    return store == null ? notFound(id) : new KnowledgeReply.StoreFound(store);
  }

  static KnowledgeReply.NotFound notFound(String id) {
    return new KnowledgeReply.NotFound("vector_store", id);
  }

  KnowledgeReply list(KnowledgeEntity.ListStores list) {
    find(VectorStore.DEFAULT_ID);
    Page<VectorStore> page = documents.stores().list(list.page());
    if (page == null) {
      return notFound(String.valueOf(list.page().after()));
    }
    Page<VectorStore> cut =
        page.within(
            settings.search().replyBytesMax(),
            store -> Page.size(store.name()) + Page.size(store.metadata()) + Page.ITEM_BYTES);
    return new KnowledgeReply.StorePage(cut.items(), cut.hasMore());
  }

  KnowledgeReply update(KnowledgeEntity.UpdateStore update) {
    VectorStore store = find(update.storeId());
    if (store == null) {
      return notFound(update.storeId());
    }
    KnowledgeReply.Invalid problem =
        problem(update.name(), update.metadata(), update.expiresAfterDays());
    if (problem != null) {
      return problem;
    }
    Integer days =
        update.expiresAfterDays() == null ? store.expiresAfterDays() : update.expiresAfterDays();
    documents
        .stores()
        .update(
            store.id(),
            update.name() == null ? store.name() : update.name(),
            update.metadata() == null ? store.metadata() : update.metadata(),
            days == null || days == 0 ? null : days);
    return found(store.id());
  }

  KnowledgeReply delete(KnowledgeEntity.DeleteStore delete) {
    if (delete.storeId().equals(VectorStore.DEFAULT_ID)) {
      return new KnowledgeReply.Invalid(
          "vector_store_id", "the default store stays as long as its tenant");
    }
    return documents.stores().delete(delete.storeId())
        ? new KnowledgeReply.Deleted("vector_store", delete.storeId())
        : notFound(delete.storeId());
  }

  /** Remembers that a store with an end was used; not more often than its days need. */
  void used(VectorStore store) {
    Instant now = clock.instant();
    if (store.expiresAfterDays() != null
        && store.lastActiveAt().plus(Duration.ofHours(1)).isBefore(now)) {
      documents.stores().touch(store.id(), now);
    }
  }
}
