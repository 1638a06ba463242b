package dev.rowhouse.reporting;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraRowWriterIT extends RowWriterContract {
  private final Cassandra cassandra = CassandraProcess.keyspace("rowwriter", "reporting");

  @Override
  Storage storage() {
    return cassandra;
  }

  @AfterAll
  void close() {
    cassandra.close();
  }
}
