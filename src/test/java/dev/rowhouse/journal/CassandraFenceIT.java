package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CassandraFenceIT extends FenceContract {
  private final Cassandra cassandra = CassandraProcess.keyspace("fence", "journal");

  @Override
  Storage storage() {
    return cassandra;
  }

  @BeforeEach
  void empty() {
    CassandraProcess.truncate(cassandra, "rowhouse_fence", "rowhouse_fence_names");
  }

  @AfterAll
  void close() {
    cassandra.close();
  }

  @Test
  void saysWhatFailed() {
    Cassandra closed = Cassandra.open(CassandraProcess.config(cassandra.keyspace()));
    Fence lost = Fence.open(closed, InstantSource.fixed(NOW));
    closed.close();
    assertThrows(JournalException.class, () -> lost.claim("usage|acme", "node-1"));
  }
}
