package dev.rowhouse.usage;

import com.typesafe.config.Config;
import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** Ledgers on the real Cassandra: two live writers, late writes, restarts, lost snapshots. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraLedgerIT extends UsageLedgerTest {
  private final Config config = CassandraProcess.config(CassandraProcess.freshName("ledger"));
  private final Cassandra cassandra = CassandraProcess.open(config, "events", "journal");

  @Override
  House open(String more) {
    return House.on(directory(), more, config);
  }

  @BeforeEach
  void empty() {
    CassandraProcess.truncate(
        cassandra,
        "messages",
        "snapshots",
        "metadata",
        "all_persistence_ids",
        "rowhouse_fence",
        "rowhouse_fence_names");
  }

  @AfterAll
  void close() {
    cassandra.close();
  }
}
