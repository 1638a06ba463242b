package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FenceTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  @TempDir private Path directory = Path.of("");
  private Database database = Database.open(memory());
  private Fence fence = Fence.open(database, InstantSource.fixed(NOW));

  private static Config memory() {
    return at("jdbc:h2:mem:");
  }

  private static Config at(String url) {
    return ConfigFactory.parseString(
        """
        rowhouse.journal.jdbc {
          url = "%s", user = rowhouse, password = "", connections = 4, connection-timeout = 60s
        }
        """
            .formatted(url));
  }

  @BeforeEach
  void open() {
    database.close();
    database =
        Database.open(
            at(
                "jdbc:h2:file:"
                    + directory.resolve("journal")
                    + ";WRITE_DELAY=0;LOCK_TIMEOUT=60000"));
    fence = Fence.open(database, InstantSource.fixed(NOW));
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void countsFromOneForEachName() {
    assertEquals(0, fence.latest("usage|acme"));
    assertEquals(1, fence.claim("usage|acme", "node-1"));
    assertEquals(2, fence.claim("usage|acme", "node-2"));
    assertEquals(1, fence.claim("usage|globex", "node-1"));
    assertEquals(List.of(1L, 2L), fence.numbers("usage|acme"));
    assertEquals(
        List.of(new Fence.Claim(1, NOW, "node-1"), new Fence.Claim(2, NOW, "node-2")),
        fence.claims("usage|acme"));
    assertEquals(List.of(), fence.numbers("nobody"));
  }

  @Test
  void whoIsNoLongerTheLatestMayNotWrite() {
    long mine = fence.claim("tenant|acme", "node-1");
    assertTrue(fence.check("tenant|acme", mine));
    fence.claim("tenant|acme", "node-2");
    assertFalse(fence.check("tenant|acme", mine));
  }

  @Test
  void givesNoNumberTwiceHoweverManyClaimAtOnce() throws Exception {
    List<Long> claimed = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Future<Long>> claims = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        claims.add(fence.claim("coordinator", "somebody", pool).toCompletableFuture());
      }
      for (Future<Long> claim : claims) {
        claimed.add(claim.get());
      }
    }
    assertEquals(
        LongStream.rangeClosed(1, 100).boxed().toList(), claimed.stream().sorted().toList());
  }

  @Test
  void openingAgainKeepsWhatWasClaimed() {
    fence.claim("usage|acme", "x".repeat(1_000));
    Fence again = Fence.open(database, InstantSource.fixed(NOW));
    assertEquals(2, again.claim("usage|acme", "node-2"));
    assertEquals(
        Fence.CLAIMED_BY_LENGTH_MAX, again.claims("usage|acme").getFirst().claimedBy().length());
  }

  @Test
  void makesTheTablesOfTheJournalAsOftenAsItIsAsked() throws SQLException {
    JournalSchema.create(database);
    JournalSchema.create(database);
    try (Connection connection = database.connection();
        Statement statement = connection.createStatement()) {
      for (String table : List.of("event_journal", "event_tag", "snapshot")) {
        statement.execute("select count(*) from \"" + table + "\"");
      }
    }
  }

  @Test
  void saysWhatFailed() {
    Database closed = Database.open(memory());
    Fence lost = Fence.open(closed, InstantSource.fixed(NOW));
    closed.close();
    JournalException problem =
        assertThrows(JournalException.class, () -> lost.claim("usage|acme", "node-1"));
    assertEquals("cannot claim a number of usage|acme", problem.getMessage());
  }
}
