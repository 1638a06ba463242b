package dev.rowhouse.reporting;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraUsageTablesIT extends UsageTablesContract {
  private final Cassandra cassandra =
      CassandraProcess.keyspace("usagetables", "events", "journal", "reporting");

  @Override
  Office openOffice(Path directory) {
    return Office.onCassandra(directory, cassandra.keyspace());
  }

  @AfterAll
  void leave() {
    cassandra.close();
  }
}
