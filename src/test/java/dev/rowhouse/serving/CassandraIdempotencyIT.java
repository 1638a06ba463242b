package dev.rowhouse.serving;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.journal.Storage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

final class CassandraIdempotencyIT extends IdempotencyTableContract {
  private static @Nullable Cassandra cassandra;

  @BeforeAll
  static void open() {
    cassandra = CassandraProcess.keyspace("idempotency", "serving");
  }

  @Override
  Storage storage() {
    return java.util.Objects.requireNonNull(cassandra);
  }

  @AfterAll
  static void close() {
    if (cassandra != null) {
      cassandra.close();
    }
  }
}
