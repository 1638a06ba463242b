package dev.rowhouse.retrieval;

import java.util.List;

/**
 * The tables of this room, in SQL that H2 and PostgreSQL both read.
 *
 * <p>Every key begins with the tenant. Times are milliseconds since 1970. A file's bytes lie in
 * pieces, so that neither a message nor a row holds a whole file.
 */
final class DocumentSchema {
  /**
   * Names the tables in the order in which an erasure empties them: references before their ends.
   */
  static final List<String> TABLES =
      List.of(
          "knowledge_batch_files",
          "knowledge_batches",
          "knowledge_chunks",
          "knowledge_changes",
          "knowledge_store_files",
          "knowledge_stores",
          "knowledge_pieces",
          "knowledge_files");

  static final List<String> STATEMENTS =
      List.of(
          """
          CREATE TABLE IF NOT EXISTS knowledge_files (
            tenant VARCHAR(63) NOT NULL, id VARCHAR(64) NOT NULL, filename VARCHAR NOT NULL,
            purpose VARCHAR(64) NOT NULL, size_bytes BIGINT NOT NULL, created_at BIGINT NOT NULL,
            status VARCHAR(16) NOT NULL, PRIMARY KEY (tenant, id))\
          """,
          """
          CREATE INDEX IF NOT EXISTS knowledge_files_by_time
            ON knowledge_files (tenant, created_at, id)\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_pieces (
            tenant VARCHAR(63) NOT NULL, file_id VARCHAR(64) NOT NULL, ordinal INTEGER NOT NULL,
            content BYTEA NOT NULL, PRIMARY KEY (tenant, file_id, ordinal))\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_stores (
            tenant VARCHAR(63) NOT NULL, id VARCHAR(64) NOT NULL, name VARCHAR NOT NULL,
            metadata VARCHAR NOT NULL, created_at BIGINT NOT NULL, last_active_at BIGINT NOT NULL,
            expires_days INTEGER, incarnation VARCHAR(36) NOT NULL, change_seq BIGINT NOT NULL,
            pruned_seq BIGINT NOT NULL, PRIMARY KEY (tenant, id))\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_store_files (
            tenant VARCHAR(63) NOT NULL, store_id VARCHAR(64) NOT NULL,
            file_id VARCHAR(64) NOT NULL, status VARCHAR(16) NOT NULL, error_code VARCHAR(32),
            error_message VARCHAR, attributes VARCHAR NOT NULL, usage_bytes BIGINT NOT NULL,
            chunk_auto BOOLEAN NOT NULL, chunk_tokens INTEGER NOT NULL,
            chunk_overlap INTEGER NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (tenant, store_id, file_id))\
          """,
          """
          CREATE INDEX IF NOT EXISTS knowledge_store_files_by_time
            ON knowledge_store_files (tenant, store_id, created_at, file_id)\
          """,
          """
          CREATE INDEX IF NOT EXISTS knowledge_store_files_by_file
            ON knowledge_store_files (tenant, file_id)\
          """,
          """
          CREATE INDEX IF NOT EXISTS knowledge_store_files_by_status
            ON knowledge_store_files (tenant, status)\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_chunks (
            tenant VARCHAR(63) NOT NULL, store_id VARCHAR(64) NOT NULL,
            file_id VARCHAR(64) NOT NULL, ordinal INTEGER NOT NULL, heading VARCHAR NOT NULL,
            body VARCHAR NOT NULL, overlap_chars INTEGER NOT NULL, embedding BYTEA NOT NULL,
            PRIMARY KEY (tenant, store_id, file_id, ordinal))\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_changes (
            tenant VARCHAR(63) NOT NULL, store_id VARCHAR(64) NOT NULL,
            file_id VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, removed BOOLEAN NOT NULL,
            PRIMARY KEY (tenant, store_id, file_id))\
          """,
          """
          CREATE INDEX IF NOT EXISTS knowledge_changes_by_seq
            ON knowledge_changes (tenant, store_id, seq)\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_batches (
            tenant VARCHAR(63) NOT NULL, id VARCHAR(64) NOT NULL, store_id VARCHAR(64) NOT NULL,
            created_at BIGINT NOT NULL, cancelled BOOLEAN NOT NULL, PRIMARY KEY (tenant, id))\
          """,
          """
          CREATE TABLE IF NOT EXISTS knowledge_batch_files (
            tenant VARCHAR(63) NOT NULL, batch_id VARCHAR(64) NOT NULL,
            file_id VARCHAR(64) NOT NULL, PRIMARY KEY (tenant, batch_id, file_id))\
          """);

  private DocumentSchema() {}
}
