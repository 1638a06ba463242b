package dev.rowhouse.journal;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The place that hands out numbers of which no two are the same: fencing tokens, as in Kleppmann's
 * "How to do distributed locking".
 *
 * <p>A journal cannot stop two writers of one persistence id: after a long pause, or when a write
 * that had timed out lands after all, both rows stay, and recovery fails or drops one of them. So
 * who is about to write claims a number first and writes where no other number does: a coordinator
 * its epoch, a ledger its segment. Who must not write beside another (a tenant's record) checks
 * that its number is still the latest before each write.
 *
 * <p>The numbers of a name start at 1 and have no gaps. A unique key of the table, or a lightweight
 * transaction on Cassandra, makes a claim exclusive, whatever clocks and leases say. Calls block;
 * the variants that take an executor are for {@code rowhouse.blocking-dispatcher}.
 */
public sealed interface Fence permits SqlFence, CqlFence {
  int NAME_LENGTH_MAX = 200;
  int CLAIMED_BY_LENGTH_MAX = 200;

  /** Opens the Fence, and makes its table on SQL where there is none. */
  static Fence open(Storage storage, InstantSource clock) {
    return switch (storage) {
      case Database database -> SqlFence.open(database, clock);
      case Cassandra cassandra -> new CqlFence(cassandra, clock);
    };
  }

  /** A number that somebody took. */
  record Claim(long number, Instant claimedAt, String claimedBy) {}

  /**
   * Takes the next number of that name.
   *
   * @param who who takes it, for the people who read the table; cut to its length
   */
  long claim(String name, String who);

  /** The latest number of that name; 0 when none was ever claimed. */
  long latest(String name);

  /** All claims of that name, in the order of their numbers. */
  List<Claim> claims(String name);

  /**
   * Names that begin so and of which a number was claimed, in order.
   *
   * @param after only those after this name; the prefix itself: from the first on
   */
  List<String> names(String prefix, String after, int limit);

  /** How many names begin so. */
  long countNames(String prefix);

  /** Whether that number is still the latest, so that its owner may still write. */
  default boolean check(String name, long number) {
    return latest(name) == number;
  }

  /** All numbers of that name, in order. */
  default List<Long> numbers(String name) {
    return claims(name).stream().map(Claim::number).toList();
  }

  default CompletionStage<Long> claim(String name, String who, Executor executor) {
    return CompletableFuture.supplyAsync(() -> claim(name, who), executor);
  }

  default CompletionStage<Boolean> check(String name, long number, Executor executor) {
    return CompletableFuture.supplyAsync(() -> check(name, number), executor);
  }

  default CompletionStage<Long> latest(String name, Executor executor) {
    return CompletableFuture.supplyAsync(() -> latest(name), executor);
  }

  default CompletionStage<List<Claim>> claims(String name, Executor executor) {
    return CompletableFuture.supplyAsync(() -> claims(name), executor);
  }

  /** What went wrong, without the wrapper that a stage puts around it. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
    return cause == null ? failure : cause;
  }

  /** The first text after all that begin so. */
  static String behind(String prefix) {
    int last = prefix.length() - 1;
    return prefix.substring(0, last) + (char) (prefix.charAt(last) + 1);
  }

  /** The owner's name as it fits into the table. */
  static String cut(String who) {
    return who.length() > CLAIMED_BY_LENGTH_MAX ? who.substring(0, CLAIMED_BY_LENGTH_MAX) : who;
  }
}
