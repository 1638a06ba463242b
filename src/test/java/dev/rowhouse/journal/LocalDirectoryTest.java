package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.UUID;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which storage needs room on this machine's disk. */
class LocalDirectoryTest {
  /** No disk has so much. */
  private static final long UNHEARD_OF = Long.MAX_VALUE;

  @TempDir private Path directory;

  private static Database open(String url) {
    return Database.open(
        ConfigFactory.parseString(
            """
            rowhouse.journal.jdbc {
              url = "%s", user = rowhouse, password = "", connections = 2, connection-timeout = 60s
            }
            """
                .formatted(url)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"jdbc:h2:", "jdbc:h2:file:", "jdbc:h2:forced:"})
  void aFileNeedsRoomInItsDirectory(String scheme) throws IOException {
    try (Database database = open(scheme + directory.resolve("journal"))) {
      assertEquals(directory.toRealPath(), database.localDirectory());
      JournalWatch.Write probe = JournalWatch.probe(database, "n1", UNHEARD_OF);
      SQLException full = assertThrows(SQLException.class, probe::run);
      assertTrue(String.valueOf(full.getMessage()).contains("make room"), full.getMessage());
      assertDoesNotThrow(JournalWatch.probe(database, "n1", 1)::run);
    }
  }

  @Test
  void memoryNeedsNone() {
    try (Database database = open("jdbc:h2:mem:" + UUID.randomUUID())) {
      assertNull(database.localDirectory());
    }
  }

  @Test
  void aServersFileIsTheServersAndNeedsNoneHere() throws SQLException {
    Server server =
        Server.createTcpServer("-tcpPort", "0", "-ifNotExists", "-baseDir", directory.toString())
            .start();
    try (Database database = open("jdbc:h2:tcp://127.0.0.1:" + server.getPort() + "/./journal")) {
      assertNull(database.localDirectory());
      assertDoesNotThrow(JournalWatch.probe(database, "n1", UNHEARD_OF)::run);
    } finally {
      server.stop();
    }
  }
}
