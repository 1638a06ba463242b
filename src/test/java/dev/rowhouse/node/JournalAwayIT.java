package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.h2.tools.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A disk that is nearly full takes no usage: nothing new is admitted until there is room again.
 * Where the journal is elsewhere, a full disk only refuses the searches whose index it cannot take.
 */
class JournalAwayIT {
  private static final Duration BACK = Duration.ofSeconds(90);
  private static final int DISK_MIB = 96;

  /** Less than {@code rowhouse.journal.watch.disk-free-min}, and enough for what is in flight. */
  private static final long LEFT_BYTES = 24L << 20;

  private FakeUpstream upstream;
  private SmallDisk disk;

  @BeforeEach
  void mount(@TempDir Path directory) throws Exception {
    disk = SmallDisk.at(directory.resolve("disk"), DISK_MIB);
    upstream = FakeUpstream.start().on("fast", Behaviour.of(5, 0).usage(UsagePolicy.ALWAYS));
  }

  @AfterEach
  void unmount() {
    if (disk != null) {
      upstream.close();
      disk.close();
    }
  }

  @Test
  void admissionClosesAndOpensByItselfAndNothingAcknowledgedIsLost() throws Exception {
    try (NodeProcess node =
        NodeProcess.in(disk.directory())
            .with("ROWHOUSE_JVM_OPTS", "-Drowhouse.journal.watch.answer-within=600ms")
            .start()
            .awaitReady()) {
      node.operator().addModel("fast", upstream.baseUrl(), 4);
      TenantClient tenant = node.tenant(node.operator().onboard("acme"));
      List<String> acknowledged = new ArrayList<>();
      acknowledged.add(tenant.chat("fast", "Hello?").expect(200).requestId());

      disk.fill(LEFT_BYTES);
      Await.until(
          "admission is closed",
          Duration.ofSeconds(20),
          () -> {
            Reply reply = tenant.chat("fast", "Hello?");
            if (reply.status() == 200) {
              acknowledged.add(reply.requestId());
            }
            return reply.status() == 503;
          });
      Reply refused = tenant.chat("fast", "Hello?").expect(503);
      assertEquals("journal_unavailable", refused.errorCode());
      assertTrue(Integer.parseInt(refused.header("retry-after")) >= 1, "says when to come again");

      disk.makeRoom();
      Await.until(
          "admission is open again",
          BACK,
          () -> {
            Reply reply = tenant.chat("fast", "Hello?");
            if (reply.status() == 200) {
              acknowledged.add(reply.requestId());
            }
            return reply.status() == 200;
          });
      Set<String> recorded =
          tenant.usageRecords().stream()
              .map(record -> record.path("request_id").asText())
              .collect(Collectors.toSet());
      assertTrue(recorded.containsAll(acknowledged), acknowledged + " in " + recorded);
    }
  }

  @Test
  void aJournalElsewhereGoesOnAndOnlySearchesWaitForRoom(@TempDir Path elsewhere) throws Exception {
    Server server =
        Server.createTcpServer("-tcpPort", "0", "-ifNotExists", "-baseDir", elsewhere.toString())
            .start();
    String url = "jdbc:h2:tcp://127.0.0.1:%d/./journal;WRITE_DELAY=0".formatted(server.getPort());
    try (NodeProcess node =
        NodeProcess.in(elsewhere.resolve("node"))
            .with("ROWHOUSE_DATA_DIR", disk.directory().resolve("data").toString())
            .with("ROWHOUSE_JVM_OPTS", "-Drowhouse.journal.jdbc.url=" + url)
            .start()
            .awaitReady()) {
      node.operator().addModel("fast", upstream.baseUrl(), 4);
      TenantClient tenant = node.tenant(node.operator().onboard("acme"));
      TenantClient other = node.tenant(node.operator().onboard("globex"));
      tenant.chat("fast", "Hello?").expect(200);
      tenant.attach("default", tenant.upload("tea.md", "# Tea\n\nTea takes four minutes.\n"));
      assertTrue(search(tenant).expect(200).body().contains("four minutes"));

      disk.fill(0);
      tenant.attach("default", tenant.upload("coffee.md", "# Coffee\n\nCoffee takes three.\n"));
      Reply refused = search(tenant).expect(503);
      assertEquals("knowledge_unavailable", refused.errorCode());
      assertTrue(Integer.parseInt(refused.header("retry-after")) >= 1, "says when to come again");
      assertEquals(503, tenant.chat("fast", "Hello?").status(), "it would be without the coffee");
      // Longer than the watch needs to look at what is free, several times over.
      for (int i = 0; i < 20; i++) {
        other.chat("fast", "Hello?").expect(200);
        Await.pause(Duration.ofMillis(100));
      }

      disk.makeRoom();
      Await.until(
          "the search is answered again",
          BACK,
          () -> {
            Reply reply = search(tenant);
            return reply.status() == 200
                && reply.body().contains("four minutes")
                && reply.body().contains("takes three");
          });
    } finally {
      server.stop();
    }
  }

  private static Reply search(TenantClient tenant) {
    return tenant.post("/v1/vector_stores/default/search", "{\"query\": \"How long?\"}");
  }
}
