package dev.rowhouse.serving;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.tenant.TenantId;
import org.jspecify.annotations.Nullable;

/** Idempotency keys in an SQL database. */
final class SqlIdempotencyTable implements IdempotencyTable {
  private static final String CLAIM_FAILED = "cannot claim an idempotency key";

  private final Database database;

  SqlIdempotencyTable(Database database) {
    this.database = database;
    Sql.make(
        database,
        "the table of idempotency keys",
        """
        CREATE TABLE IF NOT EXISTS rowhouse_idempotency (
          tenant VARCHAR(63) NOT NULL, key_hash VARCHAR(64) NOT NULL,
          request_hash VARCHAR(64) NOT NULL, attempt VARCHAR(64) NOT NULL,
          owner VARCHAR(200) NOT NULL, state VARCHAR(8) NOT NULL, http_status INTEGER NOT NULL,
          answer BYTEA, answer_bytes BIGINT NOT NULL, claimed_at BIGINT NOT NULL,
          expires_at BIGINT NOT NULL, PRIMARY KEY (tenant, key_hash))
        """,
        "CREATE INDEX IF NOT EXISTS rowhouse_idempotency_by_end"
            + " ON rowhouse_idempotency (expires_at)",
        "CREATE INDEX IF NOT EXISTS rowhouse_idempotency_use"
            + " ON rowhouse_idempotency (tenant, expires_at, answer_bytes)");
  }

  @Override
  public @Nullable Entry read(Key key) {
    return Sql.<@Nullable Entry>apart(
        database,
        CLAIM_FAILED,
        sql ->
            sql.first(
                "SELECT request_hash, attempt, owner, state, http_status, answer, claimed_at,"
                    + " expires_at FROM rowhouse_idempotency WHERE tenant = ? AND key_hash = ?",
                row ->
                    new Entry(
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        State.valueOf(row.getString(4)),
                        row.getInt(5),
                        row.getBytes(6),
                        row.getLong(7),
                        row.getLong(8)),
                key.tenant().value(),
                key.keyHash()));
  }

  @Override
  public boolean insert(
      Key key, String attempt, String owner, long nowMillis, long expiresAtMillis) {
    return Sql.apart(
        database,
        CLAIM_FAILED,
        sql ->
            sql.insert(
                "INSERT INTO rowhouse_idempotency (tenant, key_hash, request_hash, attempt, owner,"
                    + " state, http_status, answer_bytes, claimed_at, expires_at)"
                    + " VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?)",
                key.tenant().value(),
                key.keyHash(),
                key.requestHash(),
                attempt,
                owner,
                State.RUNNING.name(),
                nowMillis,
                expiresAtMillis));
  }

  @Override
  public boolean keep(
      Key key,
      String attempt,
      String answeredBy,
      State state,
      int httpStatus,
      byte @Nullable [] answer) {
    return Sql.apart(
        database,
        "cannot keep an answer",
        sql ->
            sql.update(
                    "UPDATE rowhouse_idempotency SET state = ?, http_status = ?, answer = ?,"
                        + " answer_bytes = ?, attempt = ? WHERE tenant = ? AND key_hash = ?"
                        + " AND (attempt = ? AND state = 'RUNNING' OR attempt = ? AND state = ?)",
                    state.name(),
                    httpStatus,
                    answer,
                    answer == null ? 0 : answer.length,
                    answeredBy,
                    key.tenant().value(),
                    key.keyHash(),
                    attempt,
                    // A first try may have been written although it looked like a failure.
                    answeredBy,
                    state.name())
                == 1);
  }

  @Override
  public void release(Key key, String attempt) {
    Sql.apart(
        database,
        "cannot release an idempotency key",
        sql ->
            sql.update(
                "DELETE FROM rowhouse_idempotency"
                    + " WHERE tenant = ? AND key_hash = ? AND attempt = ?",
                key.tenant().value(),
                key.keyHash(),
                attempt));
  }

  @Override
  public Use use(TenantId tenant, long nowMillis) {
    Use use =
        Sql.<@Nullable Use>apart(
            database,
            "cannot count idempotency keys",
            sql ->
                sql.first(
                    "SELECT COUNT(*), SUM(answer_bytes), MIN(expires_at) FROM rowhouse_idempotency"
                        + " WHERE tenant = ? AND expires_at > ?",
                    row -> new Use(row.getLong(1), row.getLong(2), row.getLong(3)),
                    tenant.value(),
                    nowMillis));
    return use == null ? new Use(0, 0, 0) : use;
  }

  @Override
  public int sweep(long nowMillis, int rowsMax) {
    return Sql.apart(
        database,
        "cannot remove idempotency keys",
        sql ->
            sql.update(
                "DELETE FROM rowhouse_idempotency WHERE (tenant, key_hash) IN (SELECT tenant,"
                    + " key_hash FROM rowhouse_idempotency WHERE expires_at <= ? LIMIT ?)",
                nowMillis,
                rowsMax));
  }

  @Override
  public int erase(TenantId tenant) {
    return Sql.apart(
        database,
        "cannot erase idempotency keys",
        sql -> sql.update("DELETE FROM rowhouse_idempotency WHERE tenant = ?", tenant.value()));
  }
}
