package dev.rowhouse.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reservations fit beside each other, or are refused with the sums; refused ones leave nothing. */
class ReservationIT {
  private static final String SHARE = "{\"reservation\": {\"share\": %s}}";
  private static final String SLOTS = "{\"reservation\": {\"slots\": %s}}";
  private static final String NONE = "{\"reservation\": null}";

  private static NodeProcess node;
  private final List<String> onboarded = new ArrayList<>();

  @BeforeAll
  static void start(@TempDir Path directory) {
    node = NodeProcess.started(directory);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @AfterEach
  void release() {
    onboarded.forEach(tenant -> node.operator().patch("/admin/tenants/" + tenant, NONE));
  }

  @Test
  void moreThanThereIsIs400WithTheSums() {
    Reply refused = put("greedy", SLOTS.formatted(100)).expect(400);
    assertEquals("reservation", refused.json().path("field").asText(), refused.body());
    String detail = refused.json().path("detail").asText();
    for (String sum : List.of("asked 100 slots", "by others 0 slots", "capacity 8", "80 %")) {
      assertTrue(detail.contains(sum), sum + " in " + detail);
    }
    node.operator().get("/admin/tenants/greedy").expect(404);
  }

  @Test
  void theSumOfAllIsAtMostFourFifths() {
    put("half", SHARE.formatted(0.5)).expect(201);
    put("half", SHARE.formatted(0.5)).expect(200);
    Reply refused = put("second", SLOTS.formatted(3)).expect(400);
    assertTrue(refused.body().contains("already reserved by others 4 slots"), refused.body());
    put("second", SLOTS.formatted(2)).expect(201);
    assertEquals(2, profile("second").json().at("/reservation/slots").asInt());
    node.operator().patch("/admin/tenants/second", SHARE.formatted(0.4)).expect(400);
    assertEquals(2, profile("second").json().at("/reservation/slots").asInt());
    node.operator().patch("/admin/tenants/second", SHARE.formatted(0.3)).expect(200);
    assertEquals(0.3, profile("second").json().at("/reservation/share").asDouble());
  }

  @Test
  void ofTwoAtOnceOneIsRefused() throws Exception {
    try (ExecutorService operators = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Reply>> replies = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        String tenant = "racer-" + i;
        onboarded.add(tenant);
        replies.add(
            operators.submit(
                () -> node.operator().put("/admin/tenants/" + tenant, SHARE.formatted(0.5))));
      }
      int made = 0;
      for (Future<Reply> reply : replies) {
        int status = reply.get().status();
        assertTrue(status == 201 || status == 400, reply.get().body());
        made += status == 201 ? 1 : 0;
      }
      assertEquals(1, made);
    }
  }

  @Test
  void whatIsGivenUpIsFreeForOthers() {
    put("first", SHARE.formatted(0.8)).expect(201);
    put("next", SHARE.formatted(0.1)).expect(400);
    node.operator().patch("/admin/tenants/first", NONE).expect(200);
    put("next", SHARE.formatted(0.8)).expect(201);
    node.operator().delete("/admin/tenants/next").expect(200);
    put("last", SHARE.formatted(0.8)).expect(201);
    put("last", "{}").expect(200);
    put("other", SHARE.formatted(0.8)).expect(201);
  }

  @Test
  void aRefusedChangeClaimsNothing() {
    put("gone", "{}").expect(201);
    node.operator().delete("/admin/tenants/gone").expect(200);
    put("gone", SHARE.formatted(0.8)).expect(409);
    put("there", SHARE.formatted(0.8)).expect(201);
  }

  private Reply put(String tenant, String body) {
    onboarded.add(tenant);
    return node.operator().put("/admin/tenants/" + tenant, body);
  }

  private static Reply profile(String tenant) {
    return node.operator().get("/admin/tenants/" + tenant).expect(200);
  }
}
