package dev.rowhouse.cluster;

/**
 * What is promised of a nemesis.
 *
 * @param successMin part of the operations that came to an answer, retries allowed
 * @param recoverySecondsMax seconds from the strike until the p95 is as before
 * @param nobodyDowned no node is put out, or ends by itself
 * @param noFailures no request is answered with an error or breaks off
 */
record Expectation(
    double successMin, double recoverySecondsMax, boolean nobodyDowned, boolean noFailures) {
  private static final double NEARLY_ALL = 0.999;
  private static final double NOT_SAID = 3_600;

  /** More nodes than that in a ring have no member that every other one reaches. */
  private static final int RING_WITH_A_MIDDLE = 3;

  static Expectation of(Nemesis nemesis, int nodes) {
    return switch (nemesis) {
      case KILL -> new Expectation(NEARLY_ALL, 15, false, false);
      case KILL_OLDEST -> new Expectation(NEARLY_ALL, 30, false, false);
      case PAUSE_3 -> new Expectation(NEARLY_ALL, NOT_SAID, true, false);
      case PAUSE_15, PAUSE_45 -> new Expectation(0.99, NOT_SAID, false, false);
      case PARTITION_OLDEST, PARTITION_HALVES, PARTITION_ONE_WAY, SWIZZLE ->
          new Expectation(0.9, NOT_SAID, false, false);
      // Without a middle all see somebody unreachable and are so seen: all leave and start again.
      case PARTITION_RING ->
          new Expectation(nodes > RING_WITH_A_MIDDLE ? 0 : 0.9, NOT_SAID, false, false);
      case CASSANDRA_SLOW -> new Expectation(0.9, NOT_SAID, true, false);
      // The node admits nothing until there is room: not of the tenants that live on it either.
      case DISK_FULL -> new Expectation(0.7, NOT_SAID, true, false);
      case CLOCK_JUMP -> new Expectation(0.99, NOT_SAID, true, false);
      // Nothing is admitted while the journal is away.
      case JOURNAL_AWAY_60 -> new Expectation(0, 90, true, false);
      case ROLLING_RESTART -> new Expectation(1, NOT_SAID, false, true);
    };
  }
}
