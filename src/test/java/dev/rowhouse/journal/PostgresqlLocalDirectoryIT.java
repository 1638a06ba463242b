package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

final class PostgresqlLocalDirectoryIT {
  @Test
  void itsFilesAreItsOwn() {
    try (Database database = PostgresqlProcess.open()) {
      assertNull(database.localDirectory());
    }
  }
}
