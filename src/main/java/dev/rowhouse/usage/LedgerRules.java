package dev.rowhouse.usage;

import com.typesafe.config.Config;

/**
 * The limits of what a ledger remembers.
 *
 * @param windowMillis how long an attempt is known in memory after it was minted: the longest run
 *     and its settlement retries
 * @param windowAttemptsMax how many attempts are known in memory, about 150 bytes each
 * @param unknownAfterMillis when a start that nobody settled becomes {@code unknown}
 */
record LedgerRules(long windowMillis, int windowAttemptsMax, long unknownAfterMillis) {
  /** One event of them stays far under a megabyte. */
  static final int ABANDONED_AT_ONCE_MAX = 1_000;

  LedgerRules {
    if (windowMillis <= 0 || windowAttemptsMax <= 0 || unknownAfterMillis <= 0) {
      throw new IllegalArgumentException("the limits of a ledger are positive");
    }
  }

  static LedgerRules of(Config usage) {
    return new LedgerRules(
        usage.getDuration("dedupe-window").toMillis(),
        usage.getInt("dedupe-attempts-max"),
        usage.getDuration("unknown-after").toMillis());
  }
}
