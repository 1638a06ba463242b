package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.retrieval.DocumentStore.Holdings;
import dev.rowhouse.retrieval.DocumentStore.Removed;
import dev.rowhouse.tenant.DataKeys;
import dev.rowhouse.tenant.TenantId;
import java.sql.SQLException;

/** The documents of one tenant in SQL. */
final class SqlDocumentStore {
  private SqlDocumentStore() {}

  static DocumentStore open(Database database, TenantId tenant, DataKeys keys) {
    return new DocumentStore(
        tenant,
        new SqlFileTable(database, tenant, keys),
        new SqlStoreTable(database, tenant, keys),
        new SqlStoreFileTable(database, tenant, keys),
        new SqlChunkTable(database, tenant, keys),
        new SqlBatchTable(database, tenant),
        () -> erase(database, tenant));
  }

  /** Makes the tables that are missing; may run at every start. */
  static void createSchema(Database database) {
    Sql.make(database, "the tables of documents", DocumentSchema.STATEMENTS);
  }

  private static Removed erase(Database database, TenantId tenant) {
    return Sql.transaction(
        database,
        sql -> {
          Removed removed =
              new Removed(
                  number(sql, "COUNT(*)", "knowledge_files", tenant),
                  number(sql, "COUNT(*)", "knowledge_stores", tenant),
                  number(sql, "COUNT(*)", "knowledge_chunks", tenant));
          for (String table : DocumentSchema.TABLES) {
            sql.update("DELETE FROM " + table + " WHERE tenant = ?", tenant.value());
          }
          return removed;
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
