package dev.rowhouse.journal;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraKeyStoreIT extends KeyStoreContract {
  private final Cassandra cassandra = CassandraProcess.keyspace("keys", "journal");

  @Override
  Storage storage() {
    return cassandra;
  }

  @BeforeEach
  void empty() {
    CassandraProcess.truncate(cassandra, "rowhouse_data_keys", "rowhouse_house_keys");
  }

  @AfterAll
  void close() {
    cassandra.close();
  }
}
