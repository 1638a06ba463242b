package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.CassandraProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code rowhouse schema} and a node that starts say on the real Cassandra. */
class CassandraStartIT {
  private static final Duration EXIT_MAX = Duration.ofMinutes(2);

  /** A busy machine must not fail a test; two of the tests are of what does not answer at all. */
  private static final String PATIENT_DRIVER =
      "-Ddatastax-java-driver.basic.request.timeout=30s"
          + " -Ddatastax-java-driver.advanced.connection.connect-timeout=30s"
          + " -Ddatastax-java-driver.advanced.connection.init-query-timeout=30s"
          + " -Ddatastax-java-driver.advanced.metadata.schema.request-timeout=30s"
          + " -Dpekko.persistence.cassandra.journal.circuit-breaker.call-timeout=60s"
          + " -Dpekko.persistence.cassandra.events-by-tag.tag-write-timeout=60s";

  /** No name of the internet ends so. */
  private static final String NOWHERE = "no-such-name.invalid";

  @TempDir private Path directory = Path.of(".");

  private final String keyspace = CassandraProcess.freshName("start");
  private final Map<String, String> environment = new HashMap<>();
  private int runs;

  @BeforeEach
  void pointAtCassandra() {
    environment.put("ROWHOUSE_PROFILES", "cassandra");
    environment.put("ROWHOUSE_CASSANDRA", CassandraProcess.address());
    environment.put("ROWHOUSE_CASSANDRA_KEYSPACE", keyspace);
    environment.put("ROWHOUSE_CASSANDRA_REPLICATION", "1");
    environment.put("ROWHOUSE_MASTER_KEY", "a master key of forty characters, or so");
    environment.put("ROWHOUSE_JVM_OPTS", PATIENT_DRIVER);
  }

  @AfterEach
  void dropKeyspace() {
    CassandraProcess.drop(keyspace);
  }

  private record Said(int exitCode, String out, String err) {}

  private Said rowhouse(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(NodeProcess.distribution().resolve("bin/rowhouse").toString());
    command.addAll(List.of(arguments));
    Path out = directory.resolve("out-" + ++runs);
    Path err = directory.resolve("err-" + runs);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ROWHOUSE_"));
    builder.environment().put("ROWHOUSE_JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("ROWHOUSE_DATA_DIR", directory.resolve("data").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(EXIT_MAX.toMillis(), TimeUnit.MILLISECONDS), "it goes on");
    } finally {
      process.destroyForcibly();
    }
    return new Said(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private NodeProcess node() throws IOException {
    NodeProcess node = NodeProcess.in(directory.resolve("node"));
    environment.forEach(node::with);
    return node;
  }

  /** What a node says that ends: one line on standard output or standard error, and its code. */
  private void assertEnds(int exitCode, String... words) throws IOException {
    try (NodeProcess node = node().start()) {
      assertEquals(exitCode, node.awaitExit(EXIT_MAX), node.log());
      String last = node.standardError().strip().lines().reduce("", (_, line) -> line);
      for (String word : words) {
        assertTrue(last.contains(word), word + " in: " + last);
      }
      assertFalse(node.standardError().contains("\tat "), node.log());
      assertFalse(Files.exists(directory.resolve("node/data/journal.mv.db")), "nothing is begun");
    }
  }

  @Test
  void schemaMakesOnceWhatANodeNeeds() throws Exception {
    assertEnds(6, "no keyspace " + keyspace, "rowhouse schema", "ROWHOUSE_CASSANDRA_KEYSPACE");

    Said first = rowhouse("schema");
    assertEquals(0, first.exitCode(), first.err());
    assertTrue(first.out().contains("made keyspace " + keyspace), first.out());
    assertTrue(first.out().contains("made table messages"), first.out());
    assertTrue(first.out().contains(" 0 were there."), first.out());
    assertFalse(first.err().contains("\tat "), first.err());
    Said second = rowhouse("schema");
    assertEquals(0, second.exitCode(), second.err());
    assertTrue(second.out().contains("is complete: 0 made"), second.out());

    try (NodeProcess node = node().start().awaitReady()) {
      String key = node.operator().onboard("acme", "{}");
      node.tenant(key).get("/v1/models").expect(200);
      assertFalse(node.standardError().contains("\tat "), node.log());
      assertEquals(0, node.stop(), node.log());
    }
    try (NodeProcess node = node().start().awaitReady()) {
      node.operator().get("/admin/tenants/acme").expect(200);
    }
  }

  @Test
  void aKeyspaceThatLacksATableIsNotStartedOn() throws Exception {
    CassandraProcess.keyspaceNamed(keyspace, "events", "journal").close();
    assertEnds(6, "lacks", "other tables", "rowhouse schema");
  }

  @Test
  void schemaPrintsWhatItWouldDoAndAsksNobody() throws Exception {
    environment.put("ROWHOUSE_CASSANDRA", NOWHERE);
    Said said = rowhouse("schema", "--print");
    assertEquals(0, said.exitCode(), said.err());
    assertTrue(said.out().startsWith("create keyspace if not exists " + keyspace), said.out());
    assertTrue(said.out().contains("use " + keyspace + ";"), said.out());
    assertTrue(said.out().contains("create table if not exists messages"), said.out());
    assertTrue(said.out().strip().endsWith(";"), said.out());
  }

  @Test
  void schemaRefusesMoreCopiesThanNodes() throws Exception {
    environment.put("ROWHOUSE_CASSANDRA_REPLICATION", "3");
    assertSchemaFails(6, "replication.factor is 3", "1 node", "ROWHOUSE_CASSANDRA_REPLICATION");
  }

  @Test
  void schemaOnAnSqlDatabaseSaysThatItNeedsNone() throws Exception {
    environment.remove("ROWHOUSE_PROFILES");
    assertSchemaFails(3, "needs no command", "ROWHOUSE_PROFILES=cassandra");
  }

  private void assertSchemaFails(int exitCode, String... words) throws Exception {
    Said said = rowhouse("schema");
    assertEquals(exitCode, said.exitCode(), said.err());
    String last = said.err().strip().lines().reduce("", (_, line) -> line);
    for (String word : words) {
      assertTrue(last.contains(word), word + " in: " + last);
    }
    assertFalse(said.err().contains("\tat "), said.err());
  }

  @Test
  void aCassandraThatDoesNotAnswerIsWaitedForAndNamed() throws Exception {
    int free = NodeProcess.freePorts(1).getFirst();
    environment.put("ROWHOUSE_CASSANDRA", "127.0.0.1:" + free);
    environment.put("ROWHOUSE_JVM_OPTS", "-Drowhouse.journal.cassandra.start.within=5s");
    try (NodeProcess node = node().start()) {
      assertEquals(6, node.awaitExit(EXIT_MAX), node.log());
      List<String> lines = node.standardError().strip().lines().toList();
      assertTrue(
          lines.stream().anyMatch(line -> line.contains("it is tried again in 1000 ms")),
          node.log());
      assertTrue(lines.getLast().contains("127.0.0.1:" + free), node.log());
      assertTrue(lines.getLast().contains("tried for 5 s"), node.log());
      assertFalse(node.standardError().contains("\tat "), node.log());
    }
    assertSchemaFails(6, "127.0.0.1:" + free);
  }

  @Test
  void aNameThatNobodyKnowsIsWaitedForToo() throws Exception {
    environment.put("ROWHOUSE_CASSANDRA", NOWHERE);
    environment.put("ROWHOUSE_JVM_OPTS", "-Drowhouse.journal.cassandra.start.within=2s");
    assertEnds(6, NOWHERE + ":9042", "tried for 2 s");
  }

  @Test
  void oneOfSeveralAddressesIsEnough() throws Exception {
    int free = NodeProcess.freePorts(1).getFirst();
    environment.put(
        "ROWHOUSE_CASSANDRA", NOWHERE + ", 127.0.0.1:" + free + "," + CassandraProcess.address());
    assertEnds(6, "no keyspace " + keyspace);
  }

  @Test
  void anAddressThatIsNoneIsNamed() throws Exception {
    environment.put("ROWHOUSE_CASSANDRA", "127.0.0.1:9042,10.0.0.5:cql");
    assertEnds(3, "'10.0.0.5:cql' is no address of Cassandra");
    assertSchemaFails(3, "'10.0.0.5:cql' is no address of Cassandra");
  }
}
