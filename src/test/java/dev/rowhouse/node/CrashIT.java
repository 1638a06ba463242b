package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rowhouse.node.FakeUpstream.Behaviour;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a client was told is still true after kill -9. */
class CrashIT {
  private static final List<String> TENANTS = List.of("acme", "globex", "third", "fourth");
  private static final int CONCURRENT = 200;

  /** The kill comes when this many ends were seen, so that it falls into the middle of the load. */
  private static final int ENDS_BEFORE_THE_KILL = 300;

  private final FakeUpstream upstream = FakeUpstream.start();
  private NodeProcess node;

  @BeforeEach
  void start(@TempDir Path directory) {
    upstream.on("steady", Behaviour.of(8, 15));
    node = NodeProcess.started(directory);
    node.operator().addModel("steady", upstream.baseUrl(), CONCURRENT);
  }

  @AfterEach
  void stop() {
    node.close();
    upstream.close();
  }

  /** An answer of which the client has seen the end. */
  private record Seen(String tenant, String requestId, boolean stream) {}

  @Test
  @Timeout(900)
  void everyEndThatAClientSawIsInTheRecordsOnce() throws Exception {
    Map<String, TenantClient> clients = new HashMap<>();
    TENANTS.forEach(name -> clients.put(name, node.tenant(node.operator().onboard(name))));
    ConcurrentLinkedQueue<Seen> seen = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<String> refusals = new ConcurrentLinkedQueue<>();
    Semaphore ends = new Semaphore(0);
    AtomicBoolean killed = new AtomicBoolean();

    try (ExecutorService load = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < CONCURRENT; i++) {
        String tenant = TENANTS.get(i % TENANTS.size());
        boolean stream = i % 2 == 0;
        TenantClient client = clients.getOrDefault(tenant, node.tenant(null));
        load.execute(
            () -> {
              while (!killed.get()) {
                ask(client, tenant, stream, seen, refusals);
                ends.release();
              }
            });
      }
      ends.acquire(ENDS_BEFORE_THE_KILL);
      node.kill9();
      killed.set(true);
    }
    assertEquals(List.of(), List.copyOf(refusals), "refused although there was room for all");
    assertTrue(seen.size() >= ENDS_BEFORE_THE_KILL / 2, "only " + seen.size() + " ends were seen");
    assertTrue(seen.stream().anyMatch(Seen::stream), "streams are among them");

    node.start().awaitReady();
    Map<String, Integer> times = new HashMap<>();
    for (String tenant : TENANTS) {
      for (JsonNode record : clients.getOrDefault(tenant, node.tenant(null)).usageRecords()) {
        times.merge(tenant + " " + record.path("request_id").asText(), 1, Integer::sum);
      }
    }
    List<String> wrong = new ArrayList<>();
    for (Seen end : seen) {
      int count = times.getOrDefault(end.tenant() + " " + end.requestId(), 0);
      if (count != 1) {
        wrong.add(end + " is recorded " + count + " times");
      }
    }
    assertEquals(List.of(), wrong, wrong.size() + " of " + seen.size());
    assertTrue(times.values().stream().allMatch(count -> count == 1), "no attempt is there twice");
    clients.getOrDefault("acme", node.tenant(null)).chat("steady", "Still there?").expect(200);
  }

  private static void ask(
      TenantClient client,
      String tenant,
      boolean stream,
      ConcurrentLinkedQueue<Seen> seen,
      ConcurrentLinkedQueue<String> refusals) {
    String body = TenantClient.chatBody("steady", "Hello from " + tenant + "?", stream);
    try {
      if (stream) {
        TenantClient.Stream answer = client.streamOrThrow(body, ApiClient.DEADLINE);
        if (answer.status() != 200) {
          refusals.add(answer.status() + " " + answer.events());
        } else if (answer.done()) {
          seen.add(new Seen(tenant, answer.requestId(), true));
        }
      } else {
        Reply answer = ApiClient.sendOrThrow(client.chatRequest(body, ApiClient.DEADLINE));
        if (answer.status() == 200) {
          seen.add(new Seen(tenant, answer.requestId(), false));
        } else {
          refusals.add(answer.status() + " " + answer.body());
        }
      }
    } catch (IOException lost) {
      // The node was killed: this client has not seen an end, so nothing is claimed for it.
    }
  }

  @Test
  @Timeout(600)
  void whatWasCompletedIsFoundAgain() {
    String key = node.operator().onboard("keeper");
    TenantClient tenant = node.tenant(key);
    List<String> files = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      String file =
          tenant.upload(
              "part-%d.md".formatted(i),
              "# Part %1$d\n\nThe warranty of part number %1$d lasts %2$d months.\n"
                  .formatted(i, 10 + i));
      tenant.attach("default", file);
      files.add(file);
    }
    node.kill9();
    node.start().awaitReady();

    for (int i = 0; i < files.size(); i++) {
      Reply found =
          tenant
              .post(
                  "/v1/vector_stores/default/search",
                  "{\"query\": \"How long is the warranty of part number %d?\"}".formatted(i))
              .expect(200);
      assertTrue(found.body().contains(files.get(i)), files.get(i) + " in " + found.body());
      assertEquals(
          "completed",
          tenant
              .get("/v1/vector_stores/default/files/" + files.get(i))
              .expect(200)
              .json()
              .path("status")
              .asText());
    }
    Reply again = node.operator().put("/admin/tenants/keeper", "{}");
    assertEquals(200, again.status(), "the tenant is still onboard: " + again.body());
  }

  @Test
  @Timeout(600)
  void aTornStartLeavesNoLimitSpent() throws Exception {
    TenantClient tenant =
        node.tenant(node.operator().onboard("slots", "{\"limits\": {\"concurrent_requests\": 4}}"));
    upstream.on("steady", Behaviour.of(10_000, 100));
    try (ExecutorService load = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 4; i++) {
        load.execute(
            () ->
                ask(
                    tenant,
                    "slots",
                    true,
                    new ConcurrentLinkedQueue<>(),
                    new ConcurrentLinkedQueue<>()));
      }
      Await.until("all run", Duration.ofSeconds(20), () -> upstream.running() == 4);
      node.kill9();
    }
    upstream.on("steady", Behaviour.of(3, 0));
    node.start().awaitReady();
    for (int i = 0; i < 8; i++) {
      tenant.chat("steady", "Hello?").expect(200);
    }
  }
}
