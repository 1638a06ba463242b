package dev.rowhouse.usage;

import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * The id of one attempt at one request: a UUIDv7 (RFC 9562). It is the {@code x-request-id} of the
 * answer. Because it says when it was minted, the ledger knows from the id alone whether it could
 * have seen that attempt before.
 */
public final class AttemptId {
  static final int TIMESTAMP_SHIFT = 16;
  private static final int LENGTH = 36;
  private static final int VERSION_AT = 14;
  private static final int VERSION = 7;
  private static final long VERSION_BITS = 0x7000L;
  private static final long RANDOM_A_MASK = 0xfffL;
  private static final long VARIANT_BITS = 0x8000000000000000L;
  private static final long RANDOM_B_MASK = 0x3fffffffffffffffL;

  /** What each character says as a hexadecimal digit in lower case; what is none has -1. */
  private static final byte[] DIGITS = digits();

  private AttemptId() {}

  private static byte[] digits() {
    byte[] digits = new byte[128];
    Arrays.fill(digits, (byte) -1);
    for (int digit = 0; digit < 16; digit++) {
      digits[Character.forDigit(digit, 16)] = (byte) digit;
    }
    return digits;
  }

  public static String mint(Instant now, RandomGenerator random) {
    long high =
        (now.toEpochMilli() << TIMESTAMP_SHIFT)
            | VERSION_BITS
            | (random.nextLong() & RANDOM_A_MASK);
    return new UUID(high, VARIANT_BITS | (random.nextLong() & RANDOM_B_MASK)).toString();
  }

  public static boolean isValid(String attempt) {
    if (attempt.length() != LENGTH) {
      return false;
    }
    return attempt.charAt(8) == '-'
        && attempt.charAt(13) == '-'
        && attempt.charAt(18) == '-'
        && attempt.charAt(23) == '-'
        && attempt.charAt(VERSION_AT) == '0' + VERSION
        && (digits(attempt, 0, 8)
                | digits(attempt, 9, 13)
                | digits(attempt, 14, 18)
                | digits(attempt, 19, 23)
                | digits(attempt, 24, LENGTH))
            >= 0;
  }

  /** The number in those places; negative when one of them is no digit. */
  private static long digits(String attempt, int from, int to) {
    long value = 0;
    for (int at = from; at < to; at++) {
      char c = attempt.charAt(at);
      if (c >= DIGITS.length || DIGITS[c] < 0) {
        return -1;
      }
      value = (value << 4) | DIGITS[c];
    }
    return value;
  }

  static String checked(String attempt) {
    if (!isValid(attempt)) {
      throw new IllegalArgumentException("not an attempt id (UUIDv7, lower case): " + attempt);
    }
    return attempt;
  }

  static String format(long high, long low) {
    return new UUID(high, low).toString();
  }

  static UUID parse(String attempt) {
    return UUID.fromString(attempt);
  }

  static long mintedMillis(UUID attempt) {
    return attempt.getMostSignificantBits() >>> TIMESTAMP_SHIFT;
  }
}
