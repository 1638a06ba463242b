package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.fairness.Terms;

/** One tenant in one simulated pool: its terms and what has come of it. */
final class PoolTenant {
  final String name;
  final Terms terms;
  final long queueLengthMax;

  /** How long a request of it waits at most. */
  final long timeoutMillis;

  final Waits waits = new Waits();
  int arrived;
  int refusedQueueFull;
  int timedOut;
  int queueLengthMost;
  long inputTokens;
  long outputTokens;
  double cost;

  /** What it was served while somebody waited. */
  double contendedCost;

  /** What it was entitled to of the time while somebody waited, in milliseconds. */
  double entitledMillis;

  int running;
  int waiting;
  private double activeSince;

  PoolTenant(String name, Terms terms, long queueLengthMax, long timeoutMillis) {
    this.name = name;
    this.terms = terms;
    this.queueLengthMax = queueLengthMax;
    this.timeoutMillis = timeoutMillis;
  }

  boolean isActive() {
    return running + waiting > 0;
  }

  void activeFrom(double integral) {
    activeSince = integral;
  }

  void activeUntil(double integral) {
    entitledMillis += terms.weight() * (integral - activeSince);
  }

  int served() {
    return waits.count();
  }

  void add(ObjectNode node, double costOfAll, double contendedCostOfAll, double contendedMillis) {
    node.put("tenant", name).put("weight", terms.weight());
    if (terms.reservationSlots() > 0 || terms.reservationShare() > 0) {
      node.putObject("reservation")
          .put("slots", terms.reservationSlots())
          .put("share", terms.reservationShare());
    }
    node.put("requests", arrived)
        .put("served", served())
        .put("refused_queue_full", refusedQueueFull)
        .put("timed_out", timedOut)
        .put("queue_length_max", queueLengthMost)
        .put("input_tokens", inputTokens)
        .put("output_tokens", outputTokens)
        .put("share", part(cost, costOfAll))
        .put("contended_share", part(contendedCost, contendedCostOfAll))
        .put("entitlement", part(entitledMillis, contendedMillis));
    waits.add(node.putObject("wait"));
  }

  static double part(double some, double all) {
    return all <= 0 ? 0 : Math.round(some / all * 10_000) / 10_000.0;
  }
}
