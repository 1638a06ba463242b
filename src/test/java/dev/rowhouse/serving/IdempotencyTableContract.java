package dev.rowhouse.serving;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.journal.Storage;
import dev.rowhouse.serving.IdempotencyTable.State;
import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the table of idempotency keys does on every storage. */
abstract class IdempotencyTableContract {
  private static final long NOW = 1_000_000;
  private static final long END = NOW + 86_400_000;

  /** Each test has tenants of its own. */
  private final TenantId tenant = new TenantId("t" + UUID.randomUUID().toString().substring(0, 8));

  abstract Storage storage();

  private IdempotencyTable.Key key(String name) {
    return new IdempotencyTable.Key(tenant, name, "request-of-" + name);
  }

  private static IdempotencyTable.@Nullable Entry claim(
      IdempotencyTable table, IdempotencyTable.Key key, String attempt) {
    return table.claim(key, attempt, "node-1", NOW, END, _ -> true);
  }

  @Test
  void theFirstHasTheKeyAndItsAnswerIsReadByOthers() {
    IdempotencyTable table = IdempotencyTable.open(storage());
    IdempotencyTable.Key key = key("k");
    assertNull(claim(table, key, "a1"));
    IdempotencyTable.Entry running = claim(table, key, "a2");
    assertNotNull(running);
    assertEquals(State.RUNNING, running.state());
    assertEquals("a1", running.attempt());
    assertEquals("request-of-k", running.requestHash());

    assertFalse(table.keep(key, "a2", "a2", State.WHOLE, 200, new byte[] {9}));
    assertTrue(table.keep(key, "a1", "a1b", State.WHOLE, 200, new byte[] {1, 2, 3}));
    assertTrue(table.keep(key, "a1", "a1b", State.WHOLE, 200, new byte[] {1, 2, 3}), "again");
    IdempotencyTable.Entry kept = claim(table, key, "a3");
    assertNotNull(kept);
    assertEquals(State.WHOLE, kept.state());
    assertEquals("a1b", kept.attempt());
    assertEquals(200, kept.httpStatus());
    assertArrayEquals(new byte[] {1, 2, 3}, kept.answer());
    assertEquals(new IdempotencyTable.Use(1, 3, END), table.use(tenant, NOW));
  }

  @Test
  void aKeyThatIsOverOrWhoseNodeIsGoneIsTakenByTheNext() {
    IdempotencyTable table = IdempotencyTable.open(storage());
    IdempotencyTable.Key key = key("k");
    assertNull(claim(table, key, "a1"));
    assertNull(table.claim(key, "a2", "node-2", NOW, END, _ -> false));
    assertFalse(table.keep(key, "a1", "a1", State.WHOLE, 200, null));
    table.release(key, "a1");
    IdempotencyTable.Entry there = claim(table, key, "a3");
    assertNotNull(there);
    assertEquals("a2", there.attempt());
    assertTrue(table.keep(key, "a2", "a2", State.UNKEPT, 200, null));
    assertNull(table.claim(key, "a4", "node-1", END, END + 1_000, _ -> true));
    table.release(key, "a4");
    assertNull(claim(table, key, "a5"));
  }

  @Test
  void ofManyAtOnceOneHasTheKey() throws Exception {
    IdempotencyTable table = IdempotencyTable.open(storage());
    IdempotencyTable.Key key = key("k");
    int first = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
      List<Future<Boolean>> claims = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        String attempt = "a" + i;
        claims.add(pool.submit(() -> claim(table, key, attempt) == null));
      }
      for (Future<Boolean> claim : claims) {
        first += claim.get() ? 1 : 0;
      }
    }
    assertEquals(1, first);
  }

  @Test
  void erasingLeavesNothingOfATenantAndAllOfOthers() {
    IdempotencyTable table = IdempotencyTable.open(storage());
    TenantId other = new TenantId(tenant.value() + "x");
    for (int i = 0; i < 3; i++) {
      assertNull(claim(table, key("k" + i), "a" + i));
    }
    assertNull(claim(table, new IdempotencyTable.Key(other, "k0", "r"), "b"));
    assertEquals(3, table.use(tenant, NOW).keys());
    assertEquals(3, table.erase(tenant));
    assertEquals(new IdempotencyTable.Use(0, 0, 0), table.use(tenant, NOW));
    assertNull(claim(table, key("k0"), "a9"));
    assertEquals(1, table.use(other, NOW).keys());
  }
}
