package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.sql.SQLException;

/** The documents of one tenant in SQL. */
final class SqlDocumentStore implements DocumentStore {
  private final Database database;
  private final TenantId owner;
  private final String tenant;
  private final FileTable files;
  private final StoreTable stores;
  private final StoreFileTable storeFiles;
  private final ChunkTable chunks;
  private final BatchTable batches;

  SqlDocumentStore(Database database, TenantId tenant, DataKeys keys) {
    this.database = database;
    this.owner = tenant;
    this.tenant = tenant.value();
    this.files = new SqlFileTable(database, tenant, keys);
    this.stores = new SqlStoreTable(database, tenant, keys);
    this.storeFiles = new SqlStoreFileTable(database, tenant, keys);
    this.chunks = new SqlChunkTable(database, tenant, keys);
    this.batches = new SqlBatchTable(database, tenant);
  }

  @Override
  public TenantId tenant() {
    return owner;
  }

  /** Makes the tables that are missing; may run at every start. */
  static void createSchema(Database database) {
    Sql.transaction(
        database,
        sql -> {
          for (String statement : DocumentSchema.STATEMENTS) {
            sql.update(statement);
          }
          return null;
        });
  }

  @Override
  public FileTable files() {
    return files;
  }

  @Override
  public StoreTable stores() {
    return stores;
  }

  @Override
  public StoreFileTable storeFiles() {
    return storeFiles;
  }

  @Override
  public ChunkTable chunks() {
    return chunks;
  }

  @Override
  public BatchTable batches() {
    return batches;
  }

  @Override
  public Removed erase() {
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

  static Holdings holdings(Database database, TenantId tenant) {
    return Sql.transaction(
        database,
        sql ->
            new Holdings(
                number(sql, "COUNT(*)", "knowledge_files", tenant),
                number(sql, "SUM(size_bytes)", "knowledge_files", tenant),
                number(sql, "COUNT(*)", "knowledge_stores", tenant),
                number(sql, "COUNT(*)", "knowledge_chunks", tenant)));
  }

  static boolean hasStores(Database database, TenantId tenant) {
    return Sql.transaction(database, sql -> number(sql, "COUNT(*)", "knowledge_stores", tenant))
        > 0;
  }

  private static long number(Sql sql, String what, String table, TenantId tenant)
      throws SQLException {
    return sql.number("SELECT " + what + " FROM " + table + " WHERE tenant = ?", tenant.value());
  }
}
