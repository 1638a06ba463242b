package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.node.FakeUpstream.Behaviour;
import dev.rowhouse.node.FakeUpstream.UsagePolicy;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is nearly full takes no usage: nothing new is admitted until there is room again. */
class JournalAwayIT {
  private static final Duration BACK = Duration.ofSeconds(90);
  private static final int FILLER_CHUNK = 64 * 1024;

  /** Less than {@code rowhouse.journal.watch.disk-free-min}, and enough for what is in flight. */
  private static final long LEFT_BYTES = 24L << 20;

  private FakeUpstream upstream;
  private Path disk;
  private boolean isMounted;

  @BeforeEach
  void mount(@TempDir Path directory) throws Exception {
    upstream = FakeUpstream.start().on("fast", Behaviour.of(5, 0).usage(UsagePolicy.ALWAYS));
    disk = Files.createDirectory(directory.resolve("disk"));
    isMounted = run("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk.toString()) == 0;
  }

  @AfterEach
  void unmount() throws Exception {
    upstream.close();
    if (isMounted) {
      assertEquals(0, run("umount", disk.toString()));
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
  }

  @Test
  void admissionClosesAndOpensByItselfAndNothingAcknowledgedIsLost() throws Exception {
    Assumptions.assumeTrue(isMounted, "skipped: a small file system cannot be mounted here");
    try (NodeProcess node =
        NodeProcess.in(disk)
            .with("ROWHOUSE_JVM_OPTS", "-Drowhouse.journal.watch.answer-within=600ms")
            .start()
            .awaitReady()) {
      node.operator().addModel("fast", upstream.baseUrl(), 4);
      TenantClient tenant = node.tenant(node.operator().onboard("acme"));
      List<String> acknowledged = new ArrayList<>();
      acknowledged.add(tenant.chat("fast", "Hello?").expect(200).requestId());

      Path filler = disk.resolve("filler");
      fill(filler);
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

      Files.delete(filler);
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

  private static void fill(Path filler) throws IOException {
    byte[] chunk = new byte[FILLER_CHUNK];
    try (OutputStream out = Files.newOutputStream(filler)) {
      while (Files.getFileStore(filler).getUsableSpace() > LEFT_BYTES) {
        out.write(chunk);
      }
    }
  }
}
