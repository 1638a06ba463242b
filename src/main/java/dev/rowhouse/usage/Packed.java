package dev.rowhouse.usage;

import java.util.Collection;
import java.util.Map;
import java.util.UUID;

/** The rows of numbers of a snapshot, both ways. */
final class Packed {
  private static final int READ_LENGTH = 2;
  private static final int POSITION_LENGTH = 3;
  private static final int ATTEMPT_LENGTH = 5;

  private Packed() {}

  static long[] positions(Map<Long, Long> read) {
    long[] packed = new long[read.size() * READ_LENGTH];
    int at = 0;
    for (Map.Entry<Long, Long> entry : read.entrySet()) {
      packed[at++] = entry.getKey();
      packed[at++] = entry.getValue();
    }
    return packed;
  }

  static void readPositions(long[] packed, Map<Long, Long> read) {
    for (int at = 0; at < packed.length; at += READ_LENGTH) {
      read.put(packed[at], packed[at + 1]);
    }
  }

  static long[] rows(Collection<Position> positions) {
    long[] packed = new long[positions.size() * POSITION_LENGTH];
    int at = 0;
    for (Position position : positions) {
      packed[at++] = position.segment();
      packed[at++] = position.sequence();
      packed[at++] = position.index();
    }
    return packed;
  }

  static void readRows(long[] packed, Collection<Position> positions) {
    for (int at = 0; at < packed.length; at += POSITION_LENGTH) {
      positions.add(new Position(packed[at], packed[at + 1], (int) packed[at + 2]));
    }
  }

  static long[] attempts(Map<UUID, Position> window) {
    long[] packed = new long[window.size() * ATTEMPT_LENGTH];
    int at = 0;
    for (Map.Entry<UUID, Position> entry : window.entrySet()) {
      packed[at++] = entry.getKey().getMostSignificantBits();
      packed[at++] = entry.getKey().getLeastSignificantBits();
      packed[at++] = entry.getValue().segment();
      packed[at++] = entry.getValue().sequence();
      packed[at++] = entry.getValue().index();
    }
    return packed;
  }

  static void readAttempts(long[] packed, Map<UUID, Position> window) {
    for (int at = 0; at < packed.length; at += ATTEMPT_LENGTH) {
      window.put(
          new UUID(packed[at], packed[at + 1]),
          new Position(packed[at + 2], packed[at + 3], (int) packed[at + 4]));
    }
  }
}
