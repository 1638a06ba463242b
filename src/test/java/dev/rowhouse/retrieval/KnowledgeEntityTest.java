package dev.rowhouse.retrieval;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class KnowledgeEntityTest extends KnowledgeEntityContract {
  KnowledgeEntityTest(@TempDir Path directory) {
    super(directory, TestConfig.database(directory));
  }
}
