package dev.rowhouse.usage;

import java.util.UUID;

/**
 * Which attempts a reader of the journal has met, in bounded memory: the latest ones, as 64-bit
 * fingerprints. What it calls new is new; what it does not may be new all the same, because two
 * attempts have one fingerprint, or because it is older than what is remembered.
 *
 * <p>There are two generations. When the younger is full the elder is forgotten, and with it the
 * right to call anything new that was minted before its newest.
 */
final class AttemptsSeen {
  private static final int SLOTS_AT_FIRST = 1 << 10;
  private static final long MIX = 0x9e3779b97f4a7c15L;

  private final int attemptsMax;
  private long[] younger = new long[SLOTS_AT_FIRST];
  private long[] elder = new long[SLOTS_AT_FIRST];
  private int count;
  private long newestMillis = Long.MIN_VALUE;
  private long newestOfElderMillis = Long.MIN_VALUE;
  private long knownSinceMillis = Long.MIN_VALUE;

  /**
   * None.
   *
   * @param attemptsMax in each generation; each takes 8 to 32 bytes
   */
  AttemptsSeen(int attemptsMax) {
    this.attemptsMax = attemptsMax;
  }

  /** Remembers the attempt; true when it was certainly not met before. */
  boolean isNew(UUID attempt) {
    long mintedMillis = AttemptId.mintedMillis(attempt);
    long print = fingerprint(attempt);
    boolean isNew = mintedMillis >= knownSinceMillis && !has(elder, print) && add(print);
    newestMillis = Math.max(newestMillis, mintedMillis);
    if (count >= attemptsMax) {
      knownSinceMillis = Math.max(knownSinceMillis, newestOfElderMillis + 1);
      elder = younger;
      newestOfElderMillis = newestMillis;
      younger = new long[SLOTS_AT_FIRST];
      count = 0;
    }
    return isNew;
  }

  /** Never 0, which is an empty slot. */
  private static long fingerprint(UUID attempt) {
    long print = (attempt.getLeastSignificantBits() ^ attempt.getMostSignificantBits() * MIX) * MIX;
    return print == 0 ? 1 : print;
  }

  private static boolean has(long[] table, long print) {
    int mask = table.length - 1;
    int at = (int) (print >>> 32) & mask;
    while (table[at] != 0) {
      if (table[at] == print) {
        return true;
      }
      at = (at + 1) & mask;
    }
    return false;
  }

  private boolean add(long print) {
    if (!put(younger, print)) {
      return false;
    }
    count++;
    if (count * 2L > younger.length) {
      long[] wider = new long[younger.length * 2];
      for (long one : younger) {
        if (one != 0) {
          put(wider, one);
        }
      }
      younger = wider;
    }
    return true;
  }

  private static boolean put(long[] table, long print) {
    int mask = table.length - 1;
    int at = (int) (print >>> 32) & mask;
    while (table[at] != 0) {
      if (table[at] == print) {
        return false;
      }
      at = (at + 1) & mask;
    }
    table[at] = print;
    return true;
  }
}
