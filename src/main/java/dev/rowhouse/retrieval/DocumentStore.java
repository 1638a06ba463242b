package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;

/**
 * What one tenant has stored, durably: its files, stores, chunks and batches.
 *
 * <p>The tenant is given once, when it is opened; it is in the WHERE of every statement, and no
 * operation below takes another. What the tenant wrote is sealed under its data key: contents,
 * names, attributes, texts and vectors. Calls block on the storage.
 */
public sealed interface DocumentStore permits SqlDocumentStore, CqlDocumentStore {
  /**
   * The documents of that tenant, in tables that exist.
   *
   * @param keys what seals and opens them
   */
  static DocumentStore open(Storage storage, TenantId tenant, DataKeys keys) {
    return switch (storage) {
      case Database database -> new SqlDocumentStore(database, tenant, keys);
      case Cassandra cassandra -> new CqlDocumentStore(cassandra, tenant, keys);
    };
  }

  /** Makes the tables that are missing; may run at every start. On Cassandra a script does it. */
  static void createSchema(Database database) {
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

  /** Whose documents these are. */
  TenantId tenant();

  FileTable files();

  StoreTable stores();

  StoreFileTable storeFiles();

  ChunkTable chunks();

  BatchTable batches();

  /** How many of each were removed. */
  record Removed(long files, long stores, long chunks) {}

  /** Removes every row of this tenant. */
  Removed erase();
}
