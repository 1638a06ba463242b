package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.journal.PostgresqlProcess;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node on a real PostgreSQL, with conf/postgresql.conf and nothing else. */
final class OnPostgresqlIT {
  private static final String MODEL = "rowhouse-extractive";
  private static final String QUESTION = "How long may a kettle be returned?";

  /** For what runs in the background of a busy node. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private @TempDir Path directory;

  @Test
  void keepsWhatItAcknowledgedThroughAKill() throws SQLException {
    String database = PostgresqlProcess.freshDatabase();
    try (NodeProcess node = NodeProcess.in(directory)) {
      PostgresqlProcess.environment(database).forEach(node::with);
      node.start().awaitReady();
      String acmesKey = node.operator().onboard("acme");
      String globexsKey = node.operator().onboard("globex");
      TenantClient acme = node.tenant(acmesKey);
      acme.attach(
          "default", acme.upload("returns.md", "A kettle may be returned for thirty days."));
      assertTrue(acme.chat(MODEL, QUESTION).expect(200).answer().contains("thirty"));
      node.tenant(globexsKey).chat(MODEL, QUESTION).expect(200);

      node.kill9();
      node.start().awaitReady();
      Operator operator = node.operator();
      acme = node.tenant(acmesKey);
      assertEquals(1, acme.usageRecords().size());
      Reply again = acme.chat(MODEL, QUESTION).expect(200);
      assertTrue(again.answer().contains("thirty"), again.body());
      assertEquals(
          List.of("acme", "globex"),
          operator.get("/admin/tenants").expect(200).json().path("data").findValuesAsText("id"));

      TenantClient known = acme;
      Await.until(
          "both answers to acme are in the query tables",
          PATIENCE,
          () -> total(operator).path("requests").asLong() == 2);
      long tokens =
          known.usageRecords().stream()
              .mapToLong(it -> it.path("input_tokens").asLong() + it.path("output_tokens").asLong())
              .sum();
      assertEquals(tokens, total(operator).path("total_tokens").asLong());
      JsonNode reconciled = last(operator.post("/admin/reconcile", "").expect(200));
      assertEquals(0, reconciled.path("differing").asInt(), reconciled.toString());
      assertEquals(2, reconciled.path("tenants").asInt(), reconciled.toString());
      Reply totals =
          operator
              .post("/admin/replay", "{\"what\": \"totals\", \"tenants\": [\"acme\"]}")
              .expect(200);
      JsonNode replayed =
          lines(totals).stream().filter(it -> it.has("result")).findFirst().orElseThrow();
      assertEquals(2, replayed.at("/result/replayed/requests").asInt(), totals.body());
      assertTrue(replayed.at("/result/equal").asBoolean(), totals.body());
      JsonNode verified = last(operator.post("/admin/audit/verify", "").expect(200));
      assertTrue(verified.path("intact").asBoolean(), verified.toString());
      assertEquals(0, node.stop(), node.log());
    }
    assertEquals(2, tenants(database), "it was there that they were kept");
  }

  @Test
  void waitsForADatabaseThatDoesNotAnswerAndSaysSo() {
    try (NodeProcess node = NodeProcess.in(directory)) {
      node.with("ROWHOUSE_PROFILES", "postgresql")
          .with("ROWHOUSE_POSTGRESQL", "127.0.0.1:" + NodeProcess.freePorts(1).getFirst())
          .with("ROWHOUSE_POSTGRESQL_PARAMETERS", "&ssl=false")
          .withJvmOptions("-Drowhouse.journal.jdbc.start.within=3s")
          .start();
      assertEquals(6, node.awaitExit(Duration.ofMinutes(2)));
      String said = node.standardError();
      assertTrue(said.contains("ROWHOUSE_POSTGRESQL") && !said.contains("ssl=false"), said);
      assertTrue(said.contains("it is tried again in"), said);
      assertEquals(1, said.lines().filter(it -> it.startsWith("rowhouse: ")).count(), said);
    }
  }

  private static long tenants(String database) throws SQLException {
    try (Connection connection = PostgresqlProcess.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from rowhouse_tenants")) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  private static JsonNode total(Operator operator) {
    return operator.get("/admin/usage?tenant=acme").expect(200).json().path("total");
  }

  private static JsonNode last(Reply reply) {
    return lines(reply).getLast();
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
