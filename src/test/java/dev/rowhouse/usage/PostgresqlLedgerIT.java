package dev.rowhouse.usage;

import com.typesafe.config.Config;
import dev.rowhouse.journal.PostgresqlProcess;

/** Ledgers on the real PostgreSQL: two live writers, late writes, restarts, lost snapshots. */
final class PostgresqlLedgerIT extends UsageLedgerTest {
  private final Config config = PostgresqlProcess.config();

  @Override
  House open(String more) {
    return House.on(directory(), more, config);
  }
}
