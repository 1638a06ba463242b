package dev.rowhouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
      assertTrue(String.valueOf(failure.getMessage()).contains(bad), failure.getMessage());
    }
  }

  @Test
  void aDirectoryOfSettingsNeedsToHaveOnlyWhatIsNotAsUsual(@TempDir Path conf) throws IOException {
    Files.writeString(conf.resolve("http.conf"), "rowhouse.http.port = 18080");
    Files.writeString(conf.resolve("rowhouse.conf"), "include \"http\"");
    Files.writeString(conf.resolve("mine.conf"), "rowhouse.http.operator-port = 18081");
    Config files =
        Preflight.files(Map.of("ROWHOUSE_CONF", conf.toString(), "ROWHOUSE_PROFILES", "mine"))
            .withFallback(ConfigFactory.defaultReferenceUnresolved())
            .resolve();
    assertEquals(18_080, files.getInt("rowhouse.http.port"));
    assertEquals(18_081, files.getInt("rowhouse.http.operator-port"));
    assertEquals("127.0.0.1", files.getString("rowhouse.http.host"));
  }
}
