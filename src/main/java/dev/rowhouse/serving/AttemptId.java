package dev.rowhouse.serving;

import java.util.random.RandomGenerator;

/**
 * The id of one attempt at one request: a UUIDv7 (RFC 9562), so that ids of one gateway sort by
 * time. It is the {@code x-request-id} of the answer.
 */
public final class AttemptId {
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private AttemptId() {}

  public static String mint(long nowMillis, RandomGenerator random) {
    long high = (nowMillis << 16) | 0x7000L | (random.nextLong() & 0xfffL);
    long low = (random.nextLong() & 0x3fffffffffffffffL) | 0x8000000000000000L;
    char[] text = new char[36];
    int at = 0;
    for (int nibble = 0; nibble < 32; nibble++) {
      if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) {
        text[at++] = '-';
      }
      long half = nibble < 16 ? high : low;
      text[at++] = HEX[(int) (half >>> (60 - 4 * (nibble % 16))) & 15];
    }
    return new String(text);
  }
}
