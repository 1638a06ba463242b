package dev.rowhouse.retrieval;

import dev.rowhouse.journal.Cassandra;
import dev.rowhouse.journal.CassandraProcess;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class CassandraTenantIndexIT extends TenantIndexContract {
  private static final AtomicInteger TESTS = new AtomicInteger();
  private static Cassandra cassandra;

  CassandraTenantIndexIT(@TempDir Path directory) {
    super(directory, cassandra, new TenantId("acme" + TESTS.incrementAndGet()));
  }

  @BeforeAll
  static void open() {
    cassandra = CassandraProcess.keyspace("indexes", "journal", "retrieval");
  }

  @AfterAll
  static void closeCassandra() {
    cassandra.close();
  }
}
