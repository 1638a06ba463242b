package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.util.function.Supplier;

/**
 * What one tenant has stored, durably: its files, stores, chunks and batches.
 *
 * <p>The tenant is given once, when it is opened; it is in the WHERE of every statement, and no
 * operation below takes another. What the tenant wrote is sealed under its data key: contents,
 * names, attributes, texts and vectors. Calls block on the storage.
 *
 * @param tenant whose documents these are
 * @param erasure removes every row of this tenant
 */
public record DocumentStore(
    TenantId tenant,
    FileTable files,
    StoreTable stores,
    StoreFileTable storeFiles,
    ChunkTable chunks,
    BatchTable batches,
    Supplier<Removed> erasure) {
  /**
   * The documents of that tenant, in tables that exist.
   *
   * @param keys what seals and opens them
   */
  static DocumentStore open(Storage storage, TenantId tenant, DataKeys keys) {
    return switch (storage) {
      case Database database -> SqlDocumentStore.open(database, tenant, keys);
      case Cassandra cassandra -> CqlDocumentStore.open(cassandra, tenant, keys);
    };
  }

  /** Makes the tables that are missing; may run at every start. On Cassandra a script does it. */
  public static void createSchema(Database database) {
    SqlDocumentStore.createSchema(database);
  }

  /** How much a tenant has. */
  record Holdings(long files, long fileBytes, long stores, long chunks) {}

  /** Counts what a tenant has; needs no key. */
  static Holdings holdings(Storage storage, TenantId tenant) {
    return switch (storage) {
      case Database database -> SqlDocumentStore.holdings(database, tenant);
      case Cassandra cassandra -> CqlDocumentStore.holdings(cassandra, tenant);
    };
  }

  /** Whether a tenant has any store; needs no key. */
  static boolean hasStores(Storage storage, TenantId tenant) {
    return switch (storage) {
      case Database database -> SqlDocumentStore.hasStores(database, tenant);
      case Cassandra cassandra -> CqlDocumentStore.hasStores(cassandra, tenant);
    };
  }

  /** How many of each were removed. */
  public record Removed(long files, long stores, long chunks) {}

  /** Removes every row of this tenant. */
  Removed erase() {
    return erasure.get();
  }
}
