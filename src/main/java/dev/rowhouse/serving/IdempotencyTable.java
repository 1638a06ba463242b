package dev.rowhouse.serving;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One row for each idempotency key of a tenant: who runs it, then what the answer was. Keys and
 * requests are here as HMACs only, answers are sealed. Calls block.
 *
 * <pre>
 * no row --claim--> running --keep--> whole | stream | unkept --24 h--> no row
 *                   running --release, or its node is gone--> no row, or running for another
 * </pre>
 */
sealed interface IdempotencyTable permits SqlIdempotencyTable, CqlIdempotencyTable {
  /** A row that others take and leave all the time is tried so often. */
  int TRIES_MAX = 4;

  static IdempotencyTable open(Storage storage) {
    return switch (storage) {
      case Database database -> new SqlIdempotencyTable(database);
      case Cassandra cassandra -> new CqlIdempotencyTable(cassandra);
    };
  }

  enum State {
    RUNNING,
    WHOLE,
    STREAM,
    /** The answer was too long to be kept. */
    UNKEPT
  }

  /** One key of a tenant, and the request that came with it. */
  record Key(TenantId tenant, String keyHash, String requestHash) {}

  // The array is handed on and compared by nobody.
  @SuppressWarnings("ArrayRecordComponent")
  record Entry(
      String requestHash,
      String attempt,
      String owner,
      State state,
      int httpStatus,
      byte @Nullable [] answer,
      long claimedAtMillis,
      long expiresAtMillis) {}

  /** What a tenant holds. */
  record Use(long keys, long bytes, long oldestEndMillis) {}

  /**
   * Takes the key for this attempt.
   *
   * @param lives whether that owner may still give an answer
   * @return the row that stands in the way; absent: the key is ours
   */
  default @Nullable Entry claim(
      Key key,
      String attempt,
      String owner,
      long nowMillis,
      long expiresAtMillis,
      Predicate<Entry> lives) {
    Entry there = null;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      there = read(key);
      if (there == null) {
        if (insert(key, attempt, owner, nowMillis, expiresAtMillis)) {
          return null;
        }
        continue;
      }
      boolean over = there.expiresAtMillis() <= nowMillis;
      if (!over && (there.state() != State.RUNNING || lives.test(there))) {
        return there;
      }
      release(key, there.attempt());
    }
    return there;
  }

  @Nullable Entry read(Key key);

  /** Adds a running row; false when there is one. */
  boolean insert(Key key, String attempt, String owner, long nowMillis, long expiresAtMillis);

  /**
   * Keeps the answer of the attempt that claimed the key.
   *
   * @param answeredBy the attempt whose answer it is, which may be a second one
   * @return false: the key is not this attempt's any more
   */
  boolean keep(
      Key key,
      String attempt,
      String answeredBy,
      State state,
      int httpStatus,
      byte @Nullable [] answer);

  /** Lets the key go when it is still this attempt's. */
  void release(Key key, String attempt);

  Use use(TenantId tenant, long nowMillis);

  /** Removes at most so many rows whose time is over; returns how many. */
  int sweep(long nowMillis, int rowsMax);

  /** Removes all of a tenant. */
  int erase(TenantId tenant);
}
