package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a node ends, and how it says that it cannot begin. */
class ShutdownIT {
  /** A node that cannot begin says so; it does not try for minutes. */
  private static final Duration REFUSAL_MAX = Duration.ofMinutes(2);

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final Duration HEADERS_OUT = Duration.ofMillis(2_500);

  @TempDir private Path directory;

  @Test
  void answersInFlightAreFinishedAndTheExitCodeIsZero() throws Exception {
    try (FakeUpstream upstream = FakeUpstream.start().hold("slow");
        NodeProcess node = NodeProcess.started(directory)) {
      node.operator().addModel("slow", upstream.baseUrl(), 16);
      TenantClient tenant = node.tenant(node.operator().onboard("acme"));
      List<Future<TenantClient.Stream>> streams = new ArrayList<>();
      List<Future<Reply>> wholes = new ArrayList<>();
      try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 4; i++) {
          streams.add(
              clients.submit(() -> tenant.stream(TenantClient.chatBody("slow", "Hello?", true))));
          wholes.add(clients.submit(() -> tenant.chat("slow", "Hello?")));
        }
        Await.until("all run", PATIENCE, () -> upstream.running() == 8);
        // Of a stream that says nothing headers go out after two seconds, and the rest is in
        // flight.
        Await.pause(HEADERS_OUT);
        node.terminate();
        Await.until("it shuts down", PATIENCE, () -> !node.isReady());
        upstream.letGo("slow");
        for (Future<TenantClient.Stream> stream : streams) {
          assertTrue(stream.get().done(), "[DONE] after SIGTERM: " + stream.get());
        }
        for (Future<Reply> whole : wholes) {
          whole.get().expect(200);
        }
      }
      assertEquals(0, node.awaitExit(Duration.ofMinutes(3)), node.standardError());

      node.start().awaitReady();
      List<String> recorded =
          tenant.usageRecords().stream().map(record -> record.path("request_id").asText()).toList();
      for (Future<TenantClient.Stream> stream : streams) {
        assertTrue(recorded.contains(stream.get().requestId()), "in the records after a stop");
      }
      for (Future<Reply> whole : wholes) {
        assertTrue(recorded.contains(whole.get().requestId()), "in the records after a stop");
      }
    }
  }

  @Test
  void anIdleNodeStopsAtOnceAndSaysAtItsStartWhereEverythingIs() {
    try (NodeProcess node = NodeProcess.started(directory)) {
      String greeting = node.standardOutput();
      for (URI address : List.of(node.httpUri(), node.operatorUri())) {
        assertTrue(greeting.contains(":" + address.getPort()), greeting);
      }
      assertTrue(greeting.contains("curl"), "one command to try next: " + greeting);
      assertEquals(0, node.stop());
    }
  }

  @Test
  void aNodeWithoutATokenMakesOneThatOnlyItsOwnerCanRead() throws IOException {
    try (NodeProcess node = NodeProcess.in(directory).with("ROWHOUSE_OPERATOR_TOKEN", "")) {
      node.start().awaitReady();
      Path file = node.data().resolve("operator-token");
      String token = Files.readString(file).strip();
      assertEquals(
          Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE),
          Files.getPosixFilePermissions(file));
      assertFalse(node.standardOutput().contains(token), "the token itself is not printed");
      assertTrue(node.standardOutput().contains("operator-token"), node.standardOutput());
      new Operator(node.operatorUri(), token).get("/admin/tenants").expect(200);
      assertEquals(0, node.stop());
    }
  }

  @Test
  void aPortInUse() throws IOException {
    try (NodeProcess node = NodeProcess.in(directory);
        ServerSocket other =
            new ServerSocket(node.httpUri().getPort(), 1, InetAddress.getLoopbackAddress())) {
      refusesToStart(node, Integer.toString(other.getLocalPort()));
    }
  }

  @Test
  void anOperatorPortInUse() throws IOException {
    try (NodeProcess node = NodeProcess.in(directory);
        ServerSocket other =
            new ServerSocket(node.operatorUri().getPort(), 1, InetAddress.getLoopbackAddress())) {
      refusesToStart(node, Integer.toString(other.getLocalPort()));
    }
  }

  @Test
  void aPortThatIsNone() {
    try (NodeProcess node = NodeProcess.in(directory).with("ROWHOUSE_HTTP_PORT", "eighty")) {
      refusesToStart(node, "eighty");
    }
  }

  @Test
  void aDataDirectoryThatIsAFile() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "not a directory");
    try (NodeProcess node = NodeProcess.in(directory).with("ROWHOUSE_DATA_DIR", file.toString())) {
      refusesToStart(node, file.toString());
    }
  }

  @Test
  void aDataDirectoryThatIsNotWritable() throws IOException {
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
    assumeFalse(Files.isWritable(closed), "who runs the tests may write everywhere (root)");
    try (NodeProcess node =
        NodeProcess.in(directory).with("ROWHOUSE_DATA_DIR", closed.resolve("data").toString())) {
      refusesToStart(node, closed.toString());
    }
  }

  @Test
  void aDataDirectoryOfANodeThatRuns() {
    try (NodeProcess first = NodeProcess.started(directory.resolve("first"));
        NodeProcess second =
            NodeProcess.in(directory.resolve("second"))
                .with("ROWHOUSE_DATA_DIR", first.data().toString())) {
      refusesToStart(second, first.data().toString());
      first.operator().get("/admin/tenants").expect(200);
    }
  }

  @Test
  void aConfThatIsBroken() throws IOException {
    Path conf = copyOfConf();
    Path broken;
    try (var files = Files.list(conf)) {
      broken = files.filter(file -> file.toString().endsWith(".conf")).sorted().findFirst().get();
    }
    Files.writeString(broken, "\nrowhouse { this is { not closed\n");
    try (NodeProcess node = NodeProcess.in(directory).with("ROWHOUSE_CONF", conf.toString())) {
      refusesToStart(node, broken.getFileName().toString());
    }
  }

  @Test
  void anUnknownSubcommand() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                NodeProcess.distribution().resolve("bin/rowhouse").toString(), "frobnicate")
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertNotEquals(0, process.waitFor());
    assertTrue(said.contains("frobnicate") && said.contains("help"), said);
    assertFalse(said.contains("\tat "), said);
  }

  @Test
  void itRunsThroughASymbolicLinkFromAnywhereAndTellsItsVersion()
      throws IOException, InterruptedException {
    Path link =
        Files.createSymbolicLink(
            directory.resolve("rowhouse"), NodeProcess.distribution().resolve("bin/rowhouse"));
    Process process =
        new ProcessBuilder(link.toString(), "version").directory(directory.toFile()).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor());
    Files.delete(link);
    assertTrue(said.contains("0.1.0"), said);
  }

  @Test
  void withoutTheRightJavaItSaysWhereItLooked() throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(NodeProcess.distribution().resolve("bin/rowhouse").toString(), "help");
    builder.environment().put("ROWHOUSE_JAVA_HOME", directory.toString());
    Process process = builder.start();
    String said = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor());
    assertTrue(said.contains("25") && said.contains(directory.toString()), said);
  }

  private Path copyOfConf() throws IOException {
    Path conf = Files.createDirectory(directory.resolve("conf"));
    try (var files = Files.list(NodeProcess.distribution().resolve("conf"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, conf.resolve(file.getFileName().toString()));
      }
    }
    return conf;
  }

  private static void refusesToStart(NodeProcess node, String named) {
    int exit = node.start().awaitExit(REFUSAL_MAX);
    String said = node.standardError();
    assertNotEquals(0, exit, said);
    assertTrue(said.contains(named), "names " + named + ": " + said);
    assertEquals(1, said.lines().filter(line -> !line.isBlank()).count(), "one line: " + said);
    assertFalse((said + node.standardOutput()).contains("\tat "), "no stack trace: " + said);
  }
}
