package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;

/**
 * What one tenant has stored, durably: its files, stores, chunks and batches.
 *
 * <p>The tenant is given once, here; it is in the WHERE of every statement, and no operation below
 * takes another. What the tenant wrote is sealed under its data key: contents, names, attributes,
 * texts and vectors. Calls block on the database.
 */
public final class DocumentStore {
  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final FileTable files;
  private final StoreTable stores;
  private final StoreFileTable storeFiles;
  private final ChunkTable chunks;
  private final BatchTable batches;

  /**
   * The documents of that tenant, in tables that exist.
   *
   * @param keys what seals and opens them
   */
  public DocumentStore(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.tenant = tenant.value();
    this.files = new FileTable(database, tenant, keys);
    this.stores = new StoreTable(database, tenant, keys);
    this.storeFiles = new StoreFileTable(database, tenant, keys);
    this.chunks = new ChunkTable(database, tenant, keys);
    this.batches = new BatchTable(database, tenant);
  }

  /** Whose documents these are. */
  TenantId tenant() {
    return owner;
  }

  /** Makes the tables that are missing; may run at every start. */
  public static void createSchema(Database database) {
    Sql.transaction(
        database,
        sql -> {
          for (String statement : DocumentSchema.STATEMENTS) {
            sql.update(statement);
          }
          return null;
        });
  }

  FileTable files() {
    return files;
  }

  StoreTable stores() {
    return stores;
  }

  StoreFileTable storeFiles() {
    return storeFiles;
  }

  ChunkTable chunks() {
    return chunks;
  }

  BatchTable batches() {
    return batches;
  }

  /** How many of each were removed. */
  record Removed(long files, long stores, long chunks) {}

  /** Removes every row of this tenant. */
  Removed erase() {
    return Sql.transaction(
        database,
        sql -> {
          long fileRows =
              sql.number("SELECT COUNT(*) FROM knowledge_files WHERE tenant = ?", tenant);
          long storeRows =
              sql.number("SELECT COUNT(*) FROM knowledge_stores WHERE tenant = ?", tenant);
          long chunkRows =
              sql.number("SELECT COUNT(*) FROM knowledge_chunks WHERE tenant = ?", tenant);
          for (String table : DocumentSchema.TABLES) {
            sql.update("DELETE FROM " + table + " WHERE tenant = ?", tenant);
          }
          return new Removed(fileRows, storeRows, chunkRows);
        });
  }
}
