package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators see of usage and of each other, and what is found when the file was tampered. */
final class AuditIT {
  private static final String MODEL = "rowhouse-extractive";

  /** For what runs in the background of a busy node. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private @TempDir Path directory;

  @Test
  void usageIsReconciledAndTamperingIsFoundAfterARestart() throws SQLException {
    try (NodeProcess node =
        NodeProcess.in(directory)
            .with("ROWHOUSE_AUDIT_ANCHOR_EVERY", "1s")
            // What the background would repair is to be found by the call.
            .with("ROWHOUSE_RECONCILE_TENANTS_PER_MINUTE", "0")) {
      node.start().awaitReady();
      Operator operator = node.operator();
      TenantClient acme = node.tenant(operator.onboard("acme"));
      for (int i = 0; i < 3; i++) {
        acme.chat(MODEL, "How long is the warranty?").expect(200);
      }
      Await.until(
          "the list of tenants, which follows the journal, has acme",
          PATIENCE,
          () -> operator.get("/admin/usage?tenant=acme").status() == 200);
      Await.until(
          "the usage of acme is in the query tables",
          PATIENCE,
          () -> total(operator).path("requests").asLong() == 3);
      assertEquals(tokens(acme), total(operator).path("total_tokens").asLong());
      assertBadInput(operator);
      JsonNode done = lines(operator.post("/admin/reconcile", "").expect(200)).getLast();
      assertEquals("done", done.path("type").asText());
      assertEquals(0, done.path("differing").asInt(), done.toString());
      assertEquals(tokens(acme), done.at("/total/total_tokens").asLong());

      new Operator(node.operatorUri(), "wrong").get("/admin/tenants").expect(401);
      Reply key = operator.post("/admin/tenants/acme/keys", "{}");
      assertTrue(key.status() < 300, key.body());
      assertAudited(operator, key);
      Await.until("the head of acme's ledger is anchored", PATIENCE, () -> anchored(operator) > 0);
      JsonNode intact = verify(operator).getLast();
      assertTrue(intact.path("intact").asBoolean(), intact.toString());
      assertEquals(1, intact.path("ledgers").asInt(), intact.toString());

      long cut = anchored(operator);
      assertEquals(0, node.stop());
      tamper(node.data(), cut);
      node.start().awaitReady();
      assertTold(verify(node.operator()), cut);
      List<JsonNode> repaired = lines(node.operator().post("/admin/reconcile?tenant=acme", ""));
      assertTrue(repaired.getLast().path("repaired").asInt() == 1, repaired.toString());
      JsonNode again = lines(node.operator().post("/admin/reconcile?tenant=acme", "")).getLast();
      assertEquals(0, again.path("differing").asInt(), again.toString());
      List<JsonNode> alarms = entries(node.operator(), "?kind=alarm");
      assertEquals("acme", alarms.getFirst().path("target").asText());
    }
  }

  private static void assertBadInput(Operator operator) {
    for (String query :
        List.of(
            "bucket=century",
            "group_by=star",
            "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "from=2026-01-01T00:00:00%2B02:00",
            "from=2026-01-01T00:00:00",
            "from=2020-01-01T00:00:00Z&bucket=hour",
            "tenant=nobody",
            "form=1",
            "limit=0",
            "after=x")) {
      Reply refused = operator.get("/admin/usage?" + query).expect(400);
      String field = refused.json().path("field").asText();
      // Of a reversed range the second time is named.
      String expected = query.contains("&to=") ? "to" : query.substring(0, query.indexOf('='));
      assertEquals(expected, field, query + ": " + refused.body());
    }
    operator.post("/admin/reconcile?tenant=nobody", "").expect(400);
    operator.get("/admin/audit?kind=what").expect(400);
    String csv = operator.get("/admin/usage?group_by=model&format=csv").expect(200).body();
    assertTrue(csv.startsWith("id,start,model,requests,"), csv);
  }

  private static void assertAudited(Operator operator, Reply key) {
    List<JsonNode> entries = entries(operator, "?target=acme");
    List<String> seen =
        entries.stream()
            .map(it -> it.path("kind").asText() + " " + it.path("action").asText())
            .toList();
    assertTrue(seen.contains("intent PUT /admin/tenants/{id}"), seen.toString());
    assertTrue(seen.contains("outcome PUT /admin/tenants/{id}"), seen.toString());
    List<JsonNode> made =
        entries.stream()
            .filter(it -> it.path("request_id").asText().equals(key.requestId()))
            .toList();
    assertEquals(
        List.of("intent", "outcome"), made.stream().map(it -> it.path("kind").asText()).toList());
    String secret = key.json().path("key").asText();
    assertFalse(secret.isEmpty());
    assertFalse(entries.toString().contains(secret), "a key is in the log");
    assertEquals("127.0.0.1", made.getFirst().path("remote").asText());
    Await.until(
        "the call with a wrong token is logged",
        PATIENCE,
        () -> !entries(operator, "?kind=refused").isEmpty());
  }

  /** Cuts acme's ledger from that event on, among other things. */
  private static void tamper(Path data, long cut) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:h2:file:" + data.resolve("journal"), "rowhouse", "");
        Statement sql = connection.createStatement()) {
      assertEquals(
          1, sql.executeUpdate("update rowhouse_audit set actor = 'x' where sequence_number = 1"));
      assertEquals(1, sql.executeUpdate("delete from rowhouse_audit where sequence_number = 3"));
      assertTrue(
          sql.executeUpdate("update rowhouse_usage_rows set input_tokens = input_tokens + 1") > 0);
      assertTrue(
          sql.executeUpdate(
                  "delete from \"event_journal\" where \"persistence_id\" = 'usage|acme|1'"
                      + " and \"sequence_number\" >= "
                      + cut)
              > 0);
    }
  }

  private static void assertTold(List<JsonNode> lines, long cut) {
    List<JsonNode> faults =
        lines.stream().filter(it -> it.path("type").asText().equals("fault")).toList();
    assertEquals(3, faults.size(), lines.toString());
    assertEquals("altered", faults.get(0).path("kind").asText());
    assertEquals(1, faults.get(0).path("entry").asInt());
    assertEquals("missing", faults.get(1).path("kind").asText());
    assertEquals(3, faults.get(1).path("entry").asInt());
    assertEquals("usage", faults.get(2).path("log").asText());
    assertEquals("usage|acme|1", faults.get(2).path("persistence_id").asText());
    assertEquals(cut, faults.get(2).path("sequence_number").asLong());
    for (JsonNode fault : faults) {
      assertFalse(fault.path("remedy").asText().isEmpty(), "what to do: " + fault);
    }
    assertFalse(lines.getLast().path("intact").asBoolean());
  }

  private static JsonNode total(Operator operator) {
    return operator.get("/admin/usage?tenant=acme").expect(200).json().path("total");
  }

  private static long tokens(TenantClient tenant) {
    return tenant.usageRecords().stream()
        .mapToLong(it -> it.path("input_tokens").asLong() + it.path("output_tokens").asLong())
        .sum();
  }

  private static List<JsonNode> entries(Operator operator, String query) {
    List<JsonNode> entries = new ArrayList<>();
    operator.get("/admin/audit" + query).expect(200).json().path("data").forEach(entries::add);
    return entries;
  }

  /** The sequence number at which acme's ledger was anchored last; 0: it was not. */
  private static long anchored(Operator operator) {
    long anchored = 0;
    for (JsonNode entry : entries(operator, "?kind=anchor&limit=1000")) {
      String head = entry.path("detail").path("usage|acme|1").asText();
      anchored = head.isEmpty() ? anchored : Long.parseLong(head.substring(0, head.indexOf(' ')));
    }
    return anchored;
  }

  private static List<JsonNode> verify(Operator operator) {
    return lines(operator.post("/admin/audit/verify", "").expect(200));
  }

  private static List<JsonNode> lines(Reply reply) {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : reply.body().split("\n", -1)) {
      if (!line.isBlank()) {
        try {
          lines.add(Reply.JSON.readTree(line));
        } catch (JsonProcessingException e) {
          throw new AssertionError("not JSON: " + line, e);
        }
      }
    }
    return lines;
  }
}
