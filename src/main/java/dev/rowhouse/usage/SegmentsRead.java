package dev.rowhouse.usage;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How far each segment of a ledger was read, and where its chain stood there. The heads that no
 * opening has named yet are few: the next opening names them, and from then on they hang on its
 * chain.
 */
final class SegmentsRead {
  private final TreeMap<Long, Long> read = new TreeMap<>();
  private final TreeMap<Long, String> unnamed = new TreeMap<>();

  long upTo(long segment) {
    return read.getOrDefault(segment, 0L);
  }

  Map<Long, Long> all() {
    return Map.copyOf(read);
  }

  /** The heads that the next opening has to name. */
  Map<Long, String> unnamed() {
    return Map.copyOf(unnamed);
  }

  /** Where those heads stand. */
  Map<Long, Long> unnamedUpTo() {
    return unnamed.keySet().stream().collect(Collectors.toMap(it -> it, this::upTo));
  }

  /** The chain of a segment that this ledger writes; absent when it is none. */
  @Nullable String head(long segment) {
    return unnamed.get(segment);
  }

  void advance(long segment, long sequence, LedgerEvent event) {
    read.put(segment, sequence);
    String chain = event.chain();
    unnamed.put(segment, chain == null ? "" : chain);
    if (event instanceof LedgerEvent.SegmentOpened opened) {
      opened.read().forEach(this::named);
    }
  }

  private void named(long segment, long sequence) {
    if (upTo(segment) == sequence) {
      unnamed.remove(segment);
    }
  }

  void pack(LedgerSnapshot snapshot) {
    snapshot.read = Packed.positions(read);
    snapshot.heads = unnamed();
  }

  void unpack(LedgerSnapshot snapshot) {
    Packed.readPositions(snapshot.read, read);
    unnamed.putAll(snapshot.heads);
  }
}
