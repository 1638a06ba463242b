package dev.rowhouse.usage;

import java.util.Comparator;

/** A record and where it stands. */
public record Located(Position position, UsageRecord record) {
  /**
   * Which of several records of one attempt counts, best first: anything before unknown, measured
   * before estimated, else the earlier position. It is a total order, so the choice does not depend
   * on the order in which segments were read.
   */
  static final Comparator<Located> BEST_FIRST =
      Comparator.<Located, Boolean>comparing(
              it -> it.record().status() == UsageRecord.Status.UNKNOWN)
          .thenComparing(it -> it.record().estimated())
          .thenComparing(Located::position);
}
