package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PreflightTest {
  @Test
  void theDataDirectoryOfConfIsAbsoluteForEverythingThatRefersToIt() {
    Config config = Preflight.loadConfig();
    String directory = config.getString("rowhouse.data-dir");
    assertEquals(Path.of("data").toAbsolutePath().toString(), directory);
    assertTrue(
        config.getString("rowhouse.journal.jdbc.url").startsWith("jdbc:h2:forced:" + directory));
    assertEquals(
        config.getString("rowhouse.journal.jdbc.url"),
        config.getString("pekko-persistence-jdbc.shared-databases.slick.db.url"));
  }

  @Test
  void filesOfConfAreLaidOverOnesThatTheEnvironmentNames() {
    assertEquals(
        List.of("plans", "models"),
        Preflight.profiles(Map.of("ROWHOUSE_PROFILES", " plans, models.conf,")));
    assertEquals(List.of(), Preflight.profiles(Map.of()));
    for (String bad : List.of("no-such-file", "../secret", "Cassandra")) {
      StartFailure failure =
          assertThrows(
              StartFailure.class, () -> Preflight.profiles(Map.of("ROWHOUSE_PROFILES", bad)));
      String message = String.valueOf(failure.getMessage());
      assertTrue(message.contains(bad), message);
    }
  }
}
