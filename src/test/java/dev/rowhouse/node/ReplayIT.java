package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Figures computed again from the journal of a running node, and of a stopped one. */
class ReplayIT {
  private static final List<String> TENANTS = List.of("acme", "bolt", "cope");

  /** A command is a JVM that starts cold; on a starved machine that alone takes a minute. */
  private static final long COMMAND_SECONDS_MAX = 600;

  private static final Map<String, String> KEYS = new HashMap<>();
  private static NodeProcess node;
  private static FakeUpstream upstream;

  @TempDir private static Path directory;

  @BeforeAll
  static void makeTraffic() {
    upstream = FakeUpstream.start().on("short", Behaviour.of(5, 0)).on("long", Behaviour.of(40, 1));
    node = NodeProcess.started(directory);
    node.operator().addModel("short", upstream.baseUrl(), 4);
    node.operator().addModel("long", upstream.baseUrl(), 4);
    for (int i = 0; i < TENANTS.size(); i++) {
      String tenant = TENANTS.get(i);
      KEYS.put(tenant, node.operator().onboard(tenant));
      for (int sent = 0; sent < 4 + 2 * i; sent++) {
        client(tenant).chat(sent % 2 == 0 ? "short" : "long", "Hello?").expect(200);
      }
    }
  }

  @AfterAll
  static void stop() {
    node.close();
    upstream.close();
  }

  private static TenantClient client(String tenant) {
    return node.tenant(KEYS.get(tenant));
  }

  private static Reply replay(String body) {
    return node.operator().post("/admin/replay", body.replace('\'', '"'));
  }

  /** The lines of one kind, each without the name of its kind. */
  private static List<JsonNode> lines(String text, String kind) {
    List<JsonNode> found = new ArrayList<>();
    for (String line : text.lines().toList()) {
      try {
        JsonNode json = Reply.JSON.readTree(line);
        if (json.has(kind)) {
          found.add(json.path(kind));
        }
      } catch (IOException e) {
        throw new AssertionError("not JSON: " + line, e);
      }
    }
    return found;
  }

  private static JsonNode usage(String tenant) {
    return client(tenant).get("/v1/usage").expect(200).json().path("total");
  }

  private static void assertUsage(JsonNode usage, JsonNode figures) {
    for (String field : List.of("requests", "input_tokens", "output_tokens", "total_tokens")) {
      assertEquals(usage.path(field).asLong(-1), figures.path(field).asLong(-2), field);
    }
  }

  @Test
  void totalsAreTheLedgersToTheToken() {
    Reply reply = replay("{'what': 'totals', 'tenants': ['acme', 'bolt', 'cope']}").expect(200);
    assertEquals("application/x-ndjson", reply.header("content-type"));
    List<JsonNode> results = lines(reply.body(), "result");
    assertEquals(TENANTS, results.stream().map(one -> one.path("tenant").asText()).toList());
    for (JsonNode result : results) {
      assertTrue(result.path("equal").asBoolean(), result.toString());
      assertTrue(result.path("complete").asBoolean(), result.toString());
      assertUsage(usage(result.path("tenant").asText()), result.path("replayed"));
    }
    JsonNode end = lines(reply.body(), "end").getFirst();
    assertTrue(end.path("equal").asBoolean() && end.path("complete").asBoolean(), end.toString());
    assertEquals(3, end.path("tenants").asInt());
  }

  @Test
  void aRangeOfWholeDaysIsCompared() {
    String day =
        "{'what': 'totals', 'tenants': ['acme'], 'from': '2020-01-01T00:00:00Z', 'to':"
            + " '2031-01-01T00:00:00Z'}";
    JsonNode result = lines(replay(day).expect(200).body(), "result").getFirst();
    assertTrue(result.path("equal").asBoolean(), result.toString());
    assertUsage(usage("acme"), result.path("replayed"));
    JsonNode odd =
        lines(replay(day.replace("2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z")).body(), "result")
            .getFirst();
    assertTrue(odd.path("equal").isNull(), odd.toString());
    assertTrue(odd.path("why").asText().contains("whole"), odd.toString());
  }

  @Test
  void anExportHasEachRecordOnce() {
    Set<String> recorded = new HashSet<>();
    client("bolt")
        .get("/v1/usage/records?limit=1000")
        .expect(200)
        .json()
        .path("data")
        .forEach(record -> recorded.add(record.path("request_id").asText()));
    String events = replay("{'what': 'export', 'tenants': ['bolt']}").expect(200).body();
    List<JsonNode> data = lines(events, "data");
    assertEquals(recorded, new HashSet<>(ids(events)));
    assertEquals(recorded.size(), data.size());
    ObjectNode first = (ObjectNode) event(events.lines().findFirst().orElseThrow());
    assertEquals("1.0", first.path("specversion").asText());
    assertEquals("/rowhouse/tenants/bolt", first.path("source").asText());
    assertEquals("dev.rowhouse.usage.record.v1", first.path("type").asText());
    Reply csv = replay("{'what': 'export', 'tenants': ['bolt'], 'format': 'csv'}").expect(200);
    assertTrue(csv.header("content-type").startsWith("text/csv"), csv.header("content-type"));
    assertEquals(recorded.size() + 1, csv.body().lines().count());
  }

  private static List<String> ids(String events) {
    return events.lines().map(line -> event(line).path("id").asText()).toList();
  }

  private static JsonNode event(String line) {
    try {
      return Reply.JSON.readTree(line);
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + line, e);
    }
  }

  @Test
  void pricesByAnotherList() {
    String prices =
        "{'what': 'price', 'tenants': ['acme'], 'prices': {'models': {"
            + "'short': {'input_per_million': 2, 'output_per_million': 4}%s}}%s}";
    String both = ", 'long': {'input_per_million': 1, 'output_per_million': 2}";
    List<JsonNode> results = lines(replay(prices.formatted(both, "")).expect(200).body(), "result");
    JsonNode dearer = byModel(results, "short");
    assertEquals(
        2 * dearer.path("recorded_micros").asLong(), dearer.path("priced_micros").asLong());
    assertEquals(0, byModel(results, "long").path("difference_micros").asLong(-1));

    Reply refused = replay(prices.formatted("", "")).expect(400);
    assertEquals("price_missing", refused.json().path("code").asText());
    assertTrue(refused.json().path("detail").asText().contains("long"), refused.body());

    List<JsonNode> kept =
        lines(
            replay(prices.formatted("", ", 'missing': 'keep_recorded'")).expect(200).body(),
            "result");
    assertTrue(byModel(kept, "long").path("kept_recorded").asLong() > 0, kept.toString());
  }

  private static JsonNode byModel(List<JsonNode> results, String model) {
    return results.stream()
        .filter(one -> one.path("model").asText().equals(model))
        .findFirst()
        .orElseThrow(() -> new AssertionError(results.toString()));
  }

  @Test
  void aWhatIfIsTheSameEachTimeAndKeepsTheTokens() {
    String body =
        "{'what': 'what_if', 'tenants': ['acme', 'bolt'], 'weights': {'acme': 2}, 'slots':"
            + " {'short': 2}, 'add': [{'tenant': 'copy', 'like': 'bolt', 'times': 2}], 'seed': 5}";
    String text = replay(body).expect(200).body();
    List<JsonNode> results = lines(text, "result");
    assertEquals(results, lines(replay(body).expect(200).body(), "result"));
    long served =
        results.stream()
            .filter(one -> one.path("tenant").asText().equals("acme"))
            .mapToLong(one -> one.at("/baseline/output_tokens").asLong())
            .sum();
    assertEquals(usage("acme").path("output_tokens").asLong(), served);
    long copied =
        results.stream()
            .filter(one -> one.path("tenant").asText().equals("copy"))
            .mapToLong(one -> one.at("/what_if/requests").asLong())
            .sum();
    assertEquals(2 * usage("bolt").path("requests").asLong(), copied);
    JsonNode pool =
        lines(text, "pool").stream()
            .filter(one -> one.path("pool").asText().equals("short"))
            .findFirst()
            .orElseThrow();
    assertEquals(4, pool.at("/baseline/slots").asInt());
    assertEquals(2, pool.at("/what_if/slots").asInt());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'what': 'all'} | 400 | what",
        "{'what': 'totals', 'tenants': ['nobody']} | 404 | tenants",
        "{'what': 'totals', 'tenant': 'acme'} | 400 | tenant",
        "{'what': 'totals', 'from': '2026-03-01T00:00:00+01:00'} | 400 | from",
        "{'what': 'totals', 'from': '2026-03-02T00:00:00Z', 'to': '2026-03-01T00:00:00Z'} | 400 |"
            + " to",
        "{'what': 'what_if', 'weights': {'nobody': 2}} | 400 | weights.nobody",
        "{'what': 'what_if', 'slots': {'nothing': 2}} | 400 | slots.nothing",
        "{'what': 'what_if', 'add': [{'tenant': 'x', 'like': 'nobody'}]} | 400 | add.nobody"
      })
  void badInputNamesItsField(String body, int status, String field) {
    Reply reply = replay(body).expect(status);
    assertEquals(field, reply.json().path("field").asText(), reply.body());
  }

  @Test
  void totalsStayWhenATenantIsOffboarded() {
    String key = node.operator().onboard("gone");
    for (int i = 0; i < 3; i++) {
      node.tenant(key).chat("short", "Hello?").expect(200);
    }
    String body = "{'what': 'totals', 'tenants': ['gone']}";
    JsonNode before = lines(replay(body).expect(200).body(), "result").getFirst();
    node.operator().delete("/admin/tenants/gone").expect(200);
    JsonNode after = lines(replay(body).expect(200).body(), "result").getFirst();
    assertEquals(3, after.at("/replayed/requests").asInt());
    assertEquals(before.path("replayed"), after.path("replayed"));
  }

  /** What a command has said, and how it ended. */
  private record Said(int exitCode, String out, String err) {}

  private static Said command(String... arguments) {
    try {
      Path out = Files.createTempFile(directory, "command", ".out");
      Path err = Files.createTempFile(directory, "command", ".err");
      List<String> line = new ArrayList<>();
      line.add(NodeProcess.distribution().resolve("bin/rowhouse").toString());
      line.addAll(List.of(arguments));
      ProcessBuilder builder =
          new ProcessBuilder(line)
              .directory(directory.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().keySet().removeIf(name -> name.startsWith("ROWHOUSE_"));
      for (String name :
          List.of("ROWHOUSE_JAVA_HOME", "ROWHOUSE_DATA_DIR", "ROWHOUSE_OPERATOR_TOKEN")) {
        builder.environment().put(name, node.environment(name));
      }
      builder.environment().put("ROWHOUSE_OPERATOR_URL", node.operatorUri().toString());
      Process process = builder.start();
      if (!process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("still at it: " + line);
      }
      return new Said(process.exitValue(), Files.readString(out), Files.readString(err));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Test
  void commandsAskTheRunningNode() throws IOException {
    Said totals = command("replay", "totals", "--tenant", "acme,bolt", "--json");
    assertEquals(0, totals.exitCode(), totals.toString());
    assertEquals(2, lines(totals.out(), "result").size(), totals.toString());
    Said table = command("replay", "totals", "--tenant", "acme");
    assertTrue(table.out().contains("replayed.input_tokens"), table.out());

    Path prices = directory.resolve("prices.json");
    Files.writeString(
        prices, "{\"models\":{\"x\":{\"input_per_million\":1,\"output_per_million\":1}}}");
    Said price = command("replay", "price", "--prices", prices.toString());
    assertEquals(2, price.exitCode(), price.toString());
    assertTrue(price.err().contains("no price for long, short"), price.err());

    Path file = directory.resolve("bolt.csv");
    Said export =
        command(
            "replay", "export", "--format", "csv", "--tenant", "bolt", "--output", file.toString());
    assertEquals(0, export.exitCode(), export.toString());
    assertEquals(usage("bolt").path("requests").asLong() + 1, Files.readAllLines(file).size());

    Said whatIf = command("replay", "what-if", "--weight", "acme=2", "--add", "copy=bolt*2");
    assertEquals(0, whatIf.exitCode(), whatIf.toString());
    assertTrue(whatIf.out().contains("copy"), whatIf.out());
  }

  /** The first one repairs what the tables lack yet, so the second finds nothing. */
  @Test
  void theOtherCommandsOfAnOperatorAskItToo() {
    command("reconcile");
    Said reconciled = command("reconcile");
    assertEquals(0, reconciled.exitCode(), reconciled.toString());
    assertTrue(reconciled.out().startsWith("tenants  differing"), reconciled.out());
    Said verified = command("audit", "verify");
    assertEquals(0, verified.exitCode(), verified.toString());
    assertTrue(verified.out().contains("intact true"), verified.out());
    assertTrue(verified.err().contains("entries "), verified.err());
    assertSays(2, "There is no tenant 'nobody'", "reconcile", "--tenant", "nobody");
  }

  @Test
  void commandsSayWhatIsWrongInOneLine() {
    assertSays(
        2, "is not a known field|no tenant 'nobody'", "replay", "totals", "--tenant", "nobody");
    assertSays(
        1,
        "no node answers at http://127.0.0.1:1",
        "replay",
        "totals",
        "--url",
        "http://127.0.0.1:1");
    assertSays(2, "--prices", "replay", "price");
    assertSays(2, "Unknown option", "replay", "totals", "--frm", "x");
    assertSays(2, "unknown command 'repaly'", "repaly");
    assertSays(4, "is in use by another node", "replay", "totals", "--offline");
    Said help = command("replay", "what-if", "--help");
    assertEquals(0, help.exitCode());
    assertTrue(help.out().contains("Examples"), help.out());
  }

  private static void assertSays(int exitCode, String text, String... arguments) {
    Said said = command(arguments);
    assertEquals(exitCode, said.exitCode(), said.toString());
    List<String> told = said.err().lines().filter(line -> line.startsWith("rowhouse: ")).toList();
    assertEquals(1, told.size(), said.err());
    assertTrue(told.getFirst().matches(".*(" + text + ").*"), told.getFirst());
  }

  @Test
  void theJournalOfAStoppedNodeSaysTheSame() {
    JsonNode before =
        lines(replay("{'what': 'totals', 'tenants': ['cope']}").expect(200).body(), "result")
            .getFirst();
    node.stop();
    try {
      Said said = command("replay", "totals", "--offline", "--tenant", "cope", "--json");
      assertEquals(0, said.exitCode(), said.toString());
      JsonNode after = lines(said.out(), "result").getFirst();
      assertEquals(before.path("replayed"), after.path("replayed"));
      assertTrue(after.path("equal").asBoolean(), after.toString());
      Said none = command("replay", "totals", "--offline", "--data-dir", directory.toString());
      assertFalse(none.exitCode() == 0);
      assertTrue(none.err().contains("there is no journal in"), none.err());
    } finally {
      node.start().awaitReady();
    }
  }
}
