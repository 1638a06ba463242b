package dev.rowhouse.retrieval;

import dev.rowhouse.journal.CassandraProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class CassandraKnowledgeEntityIT extends KnowledgeEntityContract {
  CassandraKnowledgeEntityIT(@TempDir Path directory) {
    super(directory, CassandraProcess.keyspace("knowledge", "journal", "retrieval"));
  }
}
