package dev.rowhouse.serving;

import dev.rowhouse.fairness.Backlog;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one tenant that wait for slots of one pool: by priority, then deadline, then
 * order of arrival. Small ones are in a line of their own, too, for the slots that are kept for
 * them.
 */
final class WaitingLine {
  /** Weight of the newest wait in the mean. */
  private static final double LEARNING_RATE = 0.1;

  private final TreeSet<InFlight> all = new TreeSet<>(InFlight::inTurn);
  private final TreeSet<InFlight> small = new TreeSet<>(InFlight::inTurn);
  private final SequencedSet<InFlight> arrived = new LinkedHashSet<>();

  /** The sum of what those that wait are expected to cost in fair sharing. */
  private double cost;

  private double meanWaitMillis;
  private boolean hasMean;

  boolean add(InFlight request) {
    if (!all.add(request)) {
      return false;
    }
    arrived.addLast(request);
    cost += request.fairCost;
    if (request.isSmall) {
      small.add(request);
    }
    return true;
  }

  boolean remove(InFlight request) {
    if (!all.remove(request)) {
      return false;
    }
    arrived.remove(request);
    small.remove(request);
    // A sum of differences would drift away from zero.
    cost = all.isEmpty() ? 0 : cost - request.fairCost;
    return true;
  }

  /** The next in turn, which has waited until now and stays in the line until it is removed. */
  @Nullable InFlight first(boolean smallOnly) {
    TreeSet<InFlight> line = smallOnly ? small : all;
    return line.isEmpty() ? null : line.first();
  }

  void served(InFlight request, long nowMillis) {
    double waited = Math.max(0, nowMillis - request.ask.receivedAtMillis());
    meanWaitMillis = hasMean ? meanWaitMillis + LEARNING_RATE * (waited - meanWaitMillis) : waited;
    hasMean = true;
  }

  int size() {
    return all.size();
  }

  Iterable<InFlight> requests() {
    return arrived;
  }

  /** What those that go before this request are expected to cost. */
  double costBefore(InFlight request) {
    if (all.isEmpty() || InFlight.inTurn(all.last(), request) < 0) {
      return cost;
    }
    double before = 0;
    for (InFlight earlier : all.headSet(request)) {
      before += earlier.fairCost;
    }
    return before;
  }

  Backlog backlog(long nowMillis) {
    if (all.isEmpty()) {
      return new Backlog(0, 0, 0, 0, 0, Math.round(meanWaitMillis));
    }
    Iterator<InFlight> oldest = arrived.iterator();
    return new Backlog(
        all.size(),
        all.first().fairCost,
        small.size(),
        small.isEmpty() ? 0 : small.first().fairCost,
        Math.max(0, nowMillis - oldest.next().ask.receivedAtMillis()),
        Math.round(meanWaitMillis));
  }
}
