package dev.rowhouse.inference;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Ended runs whose settlement nobody has acknowledged yet. Each is due at once, then after a pause
 * that doubles up to a most.
 */
final class Settlements {

  private static final class Pending {
    final RunReport report;
    long pauseMillis;
    long dueMillis;

    Pending(RunReport report, long pauseMillis, long dueMillis) {
      this.report = report;
      this.pauseMillis = pauseMillis;
      this.dueMillis = dueMillis;
    }
  }

  private final long retryMinMillis;
  private final long retryMaxMillis;
  private final Map<String, Pending> pending = new LinkedHashMap<>();

  Settlements(long retryMinMillis, long retryMaxMillis) {
    this.retryMinMillis = retryMinMillis;
    this.retryMaxMillis = retryMaxMillis;
  }

  void add(RunReport report, long nowMillis) {
    pending.putIfAbsent(report.order().attempt(), new Pending(report, retryMinMillis, nowMillis));
  }

  void acknowledged(String attempt) {
    pending.remove(attempt);
  }

  /** What is to be sent now; each is due again after its next pause. */
  List<RunReport> due(long nowMillis) {
    List<RunReport> due = new ArrayList<>();
    for (Pending settlement : pending.values()) {
      if (settlement.dueMillis <= nowMillis) {
        due.add(settlement.report);
        settlement.dueMillis = nowMillis + settlement.pauseMillis;
        settlement.pauseMillis = Math.min(settlement.pauseMillis * 2, retryMaxMillis);
      }
    }
    return due;
  }

  int size() {
    return pending.size();
  }
}
