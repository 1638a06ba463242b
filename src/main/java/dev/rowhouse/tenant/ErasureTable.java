package dev.rowhouse.tenant;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Storage;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The erasures that were asked for: what there was, and the report when all of it is gone. A row
 * without a report is work that somebody has to finish. Calls block.
 */
sealed interface ErasureTable permits SqlErasureTable, CqlErasureTable {
  static ErasureTable open(Storage storage) {
    return switch (storage) {
      case Database database -> new SqlErasureTable(database);
      case Cassandra cassandra -> new CqlErasureTable(cassandra);
    };
  }

  /**
   * One erasure.
   *
   * @param counts what there was, as JSON; absent: not counted yet
   * @param report the signed report, as JSON; absent: not done yet
   */
  record Entry(
      TenantId tenant,
      String requestId,
      String askedBy,
      Instant askedAt,
      @Nullable String counts,
      @Nullable String report) {}

  /** Notes that an erasure was asked for; the first to ask stays. */
  void ask(TenantId tenant, String requestId, String askedBy, Instant now);

  /** Forgets an erasure that was refused. */
  void withdraw(TenantId tenant, String requestId);

  void counted(TenantId tenant, String counts);

  /** The first report stays. */
  void done(TenantId tenant, String report, Instant now);

  @Nullable Entry find(TenantId tenant);

  List<Entry> unfinished(int limit);
}
