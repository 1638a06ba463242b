package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.rowhouse.journal.Database;
import dev.rowhouse.journal.Sql;
import dev.rowhouse.journal.Storage;
import dev.rowhouse.tenant.TenantId;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DocumentStoreTest extends DocumentStoreContract {
  private final Path directory;
  private final Database database;

  DocumentStoreTest(@TempDir Path directory) {
    this.directory = directory;
    this.database = TestConfig.database(directory);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Storage storage() {
    return database;
  }

  @Override
  Storage opened() {
    database.close();
    return TestConfig.database(directory);
  }

  @Override
  TenantId tenant(String name) {
    return new TenantId(name);
  }

  @Test
  void leavesNoPieceOfAnUnfinishedUpload() {
    acme.files().begin("half", "a.txt", "assistants", NOW);
    acme.files().append("half", 0, new byte[] {1}, 10);
    new UnfinishedUploads(database, () -> NOW.plusSeconds(61), Duration.ofMinutes(1), 9).sweep();
    long pieces =
        Sql.transaction(database, sql -> sql.number("SELECT COUNT(*) FROM knowledge_pieces"));
    assertEquals(0, pieces);
  }
}
