package dev.rowhouse.tenant;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Storage;
import org.junit.jupiter.api.AfterEach;

final class CassandraErasureIT extends ErasureTableContract {
  private final Cassandra cassandra = CassandraProcess.keyspace("erasure", "tenant");

  @Override
  Storage storage() {
    return cassandra;
  }

  @AfterEach
  void close() {
    cassandra.close();
  }
}
