package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A row of the journal that is damaged: who is told what, and who is not concerned. */
final class DamagedRowIT {
  private static final String MODEL = "rowhouse-extractive";
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private @TempDir Path directory;

  @Test
  void isNamedAtEachDoorAndConcernsItsTenantOnly() throws SQLException {
    try (NodeProcess node = NodeProcess.in(directory)) {
      node.start().awaitReady();
      TenantClient acme = node.tenant(node.operator().onboard("acme"));
      TenantClient bolt = node.tenant(node.operator().onboard("bolt"));
      for (int i = 0; i < 3; i++) {
        acme.chat(MODEL, "How long is the warranty?").expect(200);
        bolt.chat(MODEL, "How long is the warranty?").expect(200);
      }
      // Reconciling compares what the tables should have: they have all three from here on.
      Await.until(
          "acme's three requests are in the tables",
          PATIENCE,
          () -> reconcile(node).getLast().path("total").path("requests").asInt() == 3);
      assertEquals(0, node.stop());
      damage(node.data());
      node.start().awaitReady();
      bolt.chat(MODEL, "And the battery?").expect(200);
      for (Reply refused : List.of(acme.chat(MODEL, "And the battery?"), acme.get("/v1/usage"))) {
        refused.expect(503);
        assertEquals("journal_unavailable", refused.errorCode());
        assertTrue(Integer.parseInt(refused.header("retry-after")) >= 1);
        assertFalse(refused.body().contains("usage|acme"), "the tenant is not told of rows");
      }
      JsonNode told =
          lines(node.operator().post("/admin/replay", "{\"what\": \"totals\"}").expect(200))
              .getFirst()
              .path("result");
      assertEquals("acme", told.path("tenant").asText());
      assertFalse(told.path("complete").asBoolean(true));
      assertTrue(told.path("why").asText().contains("sequence number 2"), told.toString());
      JsonNode fault = told.path("faults").path(0);
      assertEquals("usage|acme|1", fault.path("persistence_id").asText());
      assertEquals(2, fault.path("sequence").asInt());
      assertTrue(fault.path("what_to_do").asText().contains("backup"), fault.toString());
      // An export is cut, so that nobody takes it for whole.
      assertThrows(
          UncheckedIOException.class,
          () -> node.operator().post("/admin/replay", "{\"what\": \"export\"}"));
      List<JsonNode> reconciled = reconcile(node);
      assertEquals("failure", reconciled.getFirst().path("type").asText());
      assertTrue(
          reconciled.getFirst().path("message").asText().contains("sequence number 2"),
          reconciled.toString());
      assertEquals(1, reconciled.getLast().path("failures").asInt());
      bolt.chat(MODEL, "And the charger?").expect(200);
    }
  }

  private static List<JsonNode> reconcile(NodeProcess node) {
    return lines(node.operator().post("/admin/reconcile?tenant=acme", "").expect(200));
  }

  private static List<JsonNode> lines(Reply reply) {
    return reply
        .body()
        .lines()
        .map(
            line -> {
              try {
                return Reply.JSON.readTree(line);
              } catch (JsonProcessingException e) {
                throw new AssertionError("not JSON: " + line, e);
              }
            })
        .toList();
  }

  /** One byte of the second row of acme's ledger; no snapshot hides it. */
  private static void damage(Path data) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:h2:file:" + data.resolve("journal"), "rowhouse", "");
        Statement sql = connection.createStatement()) {
      assertEquals(
          1,
          sql.executeUpdate(
              """
              update "event_journal"
              set "event_payload" =
                substring("event_payload" from 1 for 39) || x'ff'
                || substring("event_payload" from 41)
              where "persistence_id" = 'usage|acme|1' and "sequence_number" = 2
              """));
      sql.executeUpdate("delete from \"snapshot\" where \"persistence_id\" like 'usage|acme|%'");
    }
  }
}
