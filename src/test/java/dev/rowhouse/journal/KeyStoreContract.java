package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a store of keys does on every storage. Each test has an empty one. */
abstract class KeyStoreContract {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  abstract Storage storage();

  @Test
  void theLatestGenerationCounts() {
    KeyStore keys = KeyStore.open(storage());
    assertNull(keys.latest("acme"));
    assertTrue(keys.add("acme", 1, new byte[] {1}, NOW));
    assertTrue(keys.add("acme", 2, new byte[] {2}, NOW));
    assertTrue(keys.add("globex", 1, new byte[] {3}, NOW));
    assertFalse(keys.add("acme", 2, new byte[] {9}, NOW));

    KeyStore.Generation latest = keys.latest("acme");
    assertNotNull(latest);
    assertEquals(2, latest.generation());
    assertArrayEquals(new byte[] {2}, latest.wrapped());
    assertEquals(NOW, latest.createdAt());
    assertEquals(
        Set.of("acme", "globex"),
        keys.latest(List.of("acme", "globex", "nobody")).stream()
            .map(KeyStore.Generation::tenant)
            .collect(Collectors.toSet()));
  }

  @Test
  void aDestroyedKeyIsGoneAndItsRowTellsSo() {
    KeyStore keys = KeyStore.open(storage());
    assertFalse(keys.holdsKeys());
    keys.add("acme", 1, new byte[] {1}, NOW);
    keys.add("acme", 2, new byte[] {2}, NOW);
    assertTrue(keys.holdsKeys());
    keys.destroy("acme", NOW.plusSeconds(1));
    keys.destroy("acme", NOW.plusSeconds(2));
    keys.destroy("nobody", NOW);
    assertFalse(keys.holdsKeys());
    KeyStore.Generation row = keys.latest("acme");
    assertNotNull(row);
    assertNull(row.wrapped());
    assertEquals(NOW.plusSeconds(1), row.destroyedAt());
    assertFalse(keys.add("acme", 2, new byte[] {3}, NOW), "a destroyed generation is taken");
  }

  @Test
  void ofManyThatAddAKeyAtOnceOneIsFirst() throws Exception {
    KeyStore keys = KeyStore.open(storage());
    try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
      List<Future<Boolean>> tries = new ArrayList<>();
      for (byte i = 0; i < 8; i++) {
        byte[] wrapped = {i};
        tries.add(pool.submit(() -> keys.addHouse("house", wrapped, NOW)));
      }
      int first = 0;
      for (Future<Boolean> one : tries) {
        first += one.get() ? 1 : 0;
      }
      assertEquals(1, first);
    }
    assertNotNull(keys.house("house"));
    assertNull(keys.house("nobody"));
  }

  @Test
  void anAbsurdKeyIsRefused() {
    KeyStore keys = KeyStore.open(storage());
    assertThrows(
        IllegalArgumentException.class,
        () -> keys.add("acme", 1, new byte[KeyStore.WRAPPED_BYTES_MAX + 1], NOW));
  }
}
