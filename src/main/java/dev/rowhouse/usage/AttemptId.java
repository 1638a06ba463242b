package dev.rowhouse.usage;

import java.time.Instant;
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

  private AttemptId() {}

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
    for (int at = 0; at < LENGTH; at++) {
      char c = attempt.charAt(at);
      boolean fits =
          switch (at) {
            case 8, 13, 18, 23 -> c == '-';
            case VERSION_AT -> c == '0' + VERSION;
            default -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
          };
      if (!fits) {
        return false;
      }
    }
    return true;
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
