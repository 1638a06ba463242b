package dev.rowhouse.serving;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.tenant.TenantId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Idempotency keys on Cassandra: each change of a key's row is a lightweight transaction on it. A
 * row goes by its time to live some time after it is over, which {@code expires_at} alone says.
 */
final class CqlIdempotencyTable implements IdempotencyTable {
  private static final String COLUMNS =
      "request_hash, attempt, owner, state, http_status, answer, claimed_at, expires_at";

  /** A row lives longer than it counts, so that clocks need not agree. */
  private static final long SPARE_SECONDS = 3_600;

  private final Cassandra cassandra;

  CqlIdempotencyTable(Cassandra cassandra) {
    this.cassandra = cassandra;
  }

  @Override
  public @Nullable Entry read(Key key) {
    Row row =
        cassandra.one(
            "select " + COLUMNS + " from rowhouse_idempotency where tenant = ? and key_hash = ?",
            key.tenant().value(),
            key.keyHash());
    return row == null
        ? null
        : new Entry(
            text(row, "request_hash"),
            text(row, "attempt"),
            text(row, "owner"),
            State.valueOf(text(row, "state")),
            row.getInt("http_status"),
            Cassandra.bytes(row, "answer"),
            row.getLong("claimed_at"),
            row.getLong("expires_at"));
  }

  private static String text(Row row, String column) {
    return Objects.requireNonNullElse(row.getString(column), "");
  }

  @Override
  public boolean insert(
      Key key, String attempt, String owner, long nowMillis, long expiresAtMillis) {
    int ttl = ttlSeconds(nowMillis, expiresAtMillis);
    boolean isOurs =
        cassandra.decide(
            () -> attempt.equals(attemptOf(key)),
            "insert into rowhouse_idempotency (tenant, key_hash, request_hash, attempt, owner,"
                + " state, http_status, claimed_at, expires_at)"
                + " values (?, ?, ?, ?, ?, ?, 0, ?, ?) if not exists using ttl ?",
            key.tenant().value(),
            key.keyHash(),
            key.requestHash(),
            attempt,
            owner,
            State.RUNNING.name(),
            nowMillis,
            expiresAtMillis,
            ttl);
    if (isOurs) {
      use(key, 0, expiresAtMillis, ttl);
    }
    return isOurs;
  }

  private @Nullable String attemptOf(Key key) {
    Row row =
        cassandra
            .executeSerial(
                "select attempt from rowhouse_idempotency where tenant = ? and key_hash = ?",
                key.tenant().value(),
                key.keyHash())
            .one();
    return row == null ? null : row.getString("attempt");
  }

  private void use(Key key, long bytes, long expiresAtMillis, int ttlSeconds) {
    cassandra.execute(
        "insert into rowhouse_idempotency_use (tenant, key_hash, answer_bytes, expires_at)"
            + " values (?, ?, ?, ?) using ttl ?",
        key.tenant().value(),
        key.keyHash(),
        bytes,
        expiresAtMillis,
        ttlSeconds);
  }

  private static int ttlSeconds(long fromMillis, long untilMillis) {
    return Math.toIntExact(Math.max(0, untilMillis - fromMillis) / 1_000 + SPARE_SECONDS);
  }

  @Override
  public boolean keep(
      Key key,
      String attempt,
      String answeredBy,
      State state,
      int httpStatus,
      byte @Nullable [] answer) {
    Entry there = read(key);
    if (there == null) {
      return false;
    }
    // A first try may have been written although it looked like a failure.
    if (there.attempt().equals(answeredBy) && there.state() == state) {
      return true;
    }
    long bytes = answer == null ? 0 : answer.length;
    int ttl = ttlSeconds(there.claimedAtMillis(), there.expiresAtMillis());
    use(key, bytes, there.expiresAtMillis(), ttl);
    return cassandra.decide(
        () -> answeredBy.equals(attemptOf(key)) && isKept(key),
        // All cells anew: each has a time to live of its own.
        "update rowhouse_idempotency using ttl ? set state = ?, http_status = ?, answer = ?,"
            + " attempt = ?, request_hash = ?, owner = ?, claimed_at = ?, expires_at = ?"
            + " where tenant = ? and key_hash = ? if attempt = ? and state = 'RUNNING'",
        ttl,
        state.name(),
        httpStatus,
        answer,
        answeredBy,
        there.requestHash(),
        there.owner(),
        there.claimedAtMillis(),
        there.expiresAtMillis(),
        key.tenant().value(),
        key.keyHash(),
        attempt);
  }

  private boolean isKept(Key key) {
    Entry row = read(key);
    return row != null && row.state() != State.RUNNING;
  }

  @Override
  public void release(Key key, String attempt) {
    boolean released =
        cassandra.decide(
            () -> !attempt.equals(attemptOf(key)),
            "delete from rowhouse_idempotency where tenant = ? and key_hash = ? if attempt = ?",
            key.tenant().value(),
            key.keyHash(),
            attempt);
    if (released) {
      cassandra.execute(
          "delete from rowhouse_idempotency_use where tenant = ? and key_hash = ?",
          key.tenant().value(),
          key.keyHash());
    }
  }

  @Override
  public Use use(TenantId tenant, long nowMillis) {
    long keys = 0;
    long bytes = 0;
    long oldest = Long.MAX_VALUE;
    for (Row row :
        cassandra.execute(
            "select answer_bytes, expires_at from rowhouse_idempotency_use where tenant = ?",
            tenant.value())) {
      long expires = row.getLong("expires_at");
      if (expires > nowMillis) {
        keys++;
        bytes += row.getLong("answer_bytes");
        oldest = Math.min(oldest, expires);
      }
    }
    return new Use(keys, bytes, keys == 0 ? 0 : oldest);
  }

  /** Nothing to do: rows have a time to live. */
  @Override
  public int sweep(long nowMillis, int rowsMax) {
    return 0;
  }

  @Override
  public int erase(TenantId tenant) {
    int erased = 0;
    for (Row row :
        cassandra.execute(
            "select key_hash from rowhouse_idempotency_use where tenant = ?", tenant.value())) {
      String keyHash = row.getString("key_hash");
      cassandra.decide(
          () -> true,
          "delete from rowhouse_idempotency where tenant = ? and key_hash = ? if exists",
          tenant.value(),
          keyHash);
      erased++;
    }
    cassandra.execute("delete from rowhouse_idempotency_use where tenant = ?", tenant.value());
    return erased;
  }
}
