package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class FusionTest {
  @Test
  void fusesByRankIntoZeroToOne() {
    List<Fusion.Fused<String>> fused =
        Fusion.fuse(List.of(List.of("a", "b", "c"), List.of("a", "c", "d")));
    assertEquals(List.of("a", "c", "b", "d"), fused.stream().map(Fusion.Fused::item).toList());
    assertEquals(1.0, fused.getFirst().score(), 1e-12);
    assertEquals((1.0 / 62) / (2.0 / 61), fused.get(2).score(), 1e-12);
  }
}
