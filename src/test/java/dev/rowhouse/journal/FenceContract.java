package dev.rowhouse.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a Fence does on every storage. Each test has an empty one. */
abstract class FenceContract {
  static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  abstract Storage storage();

  private Fence fence() {
    return Fence.open(storage(), InstantSource.fixed(NOW));
  }

  @Test
  void countsFromOneForEachName() {
    Fence fence = fence();
    assertEquals(0, fence.latest("usage|acme"));
    assertEquals(1, fence.claim("usage|acme", "node-1"));
    assertEquals(2, fence.claim("usage|acme", "node-2"));
    assertEquals(1, fence.claim("usage|globex", "node-1"));
    assertEquals(List.of(1L, 2L), fence.numbers("usage|acme"));
    assertEquals(
        List.of(new Fence.Claim(1, NOW, "node-1"), new Fence.Claim(2, NOW, "node-2")),
        fence.claims("usage|acme"));
    assertEquals(List.of(), fence.numbers("nobody"));
  }

  @Test
  void whoIsNoLongerTheLatestMayNotWrite() {
    Fence fence = fence();
    long mine = fence.claim("tenant|acme", "node-1");
    assertTrue(fence.check("tenant|acme", mine));
    fence.claim("tenant|acme", "node-2");
    assertFalse(fence.check("tenant|acme", mine));
  }

  @Test
  void givesNoNumberTwiceHoweverManyClaimAtOnce() throws Exception {
    Fence fence = fence();
    List<Long> claimed = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
      List<Future<Long>> claims = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        claims.add(fence.claim("coordinator", "somebody", pool).toCompletableFuture());
      }
      for (Future<Long> claim : claims) {
        claimed.add(claim.get());
      }
    }
    assertEquals(
        LongStream.rangeClosed(1, 100).boxed().toList(), claimed.stream().sorted().toList());
  }

  @Test
  void openingAgainKeepsWhatWasClaimed() {
    fence().claim("usage|acme", "x".repeat(1_000));
    Fence again = fence();
    assertEquals(2, again.claim("usage|acme", "node-2"));
    assertEquals(
        Fence.CLAIMED_BY_LENGTH_MAX, again.claims("usage|acme").getFirst().claimedBy().length());
  }

  @Test
  void listsNamesInOrderAndByPages() {
    Fence fence = fence();
    List<String> names = LongStream.range(100, 140).mapToObj(number -> "usage|t" + number).toList();
    names.forEach(name -> fence.claim(name, "node-1"));
    fence.claim("usage|t101", "node-2");
    fence.claim("tenant|t100", "node-1");
    fence.claim("usagf|t100", "node-1");

    assertEquals(names, fence.names("usage|", "usage|", 100));
    assertEquals(names.subList(0, 7), fence.names("usage|", "usage|", 7));
    assertEquals(names.subList(7, 14), fence.names("usage|", names.get(6), 7));
    assertEquals(List.of(), fence.names("usage|", names.getLast(), 7));
    assertEquals(40, fence.countNames("usage|"));
    assertEquals(0, fence.countNames("nobody|"));
  }
}
