package dev.rowhouse.serving;

import dev.rowhouse.inference.RunOrder;
import dev.rowhouse.inference.WorkerCommand;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One census while its answers come in: pure. */
final class Recount {
  private final Map<String, Census.Present> present = new HashMap<>();
  private final Set<String> absent = new HashSet<>();
  private final List<RunOrder> runs = new ArrayList<>();
  private int partiesAsked = -1;
  private int partiesHeard;
  private int requestsTold;
  private int requestsHeard;

  void asked(Census.Asked asked) {
    partiesAsked = asked.parties();
  }

  void told(Census.Told told) {
    partiesHeard++;
    requestsTold += told.requests();
  }

  void present(Census.Present request) {
    requestsHeard++;
    present.put(request.ask().attempt(), request);
  }

  void absent(Census.Absent request) {
    requestsHeard++;
    absent.add(request.attempt());
  }

  void runs(WorkerCommand.Runs running) {
    partiesHeard++;
    runs.addAll(running.orders());
  }

  /** Whether everybody that was asked has answered for everything. */
  boolean isComplete() {
    return partiesHeard >= partiesAsked && partiesAsked >= 0 && requestsHeard >= requestsTold;
  }

  /** In the order in which they came to their gateways. */
  List<Census.Present> requests() {
    return present.values().stream()
        .sorted((a, b) -> Long.compare(a.ask().receivedAtMillis(), b.ask().receivedAtMillis()))
        .toList();
  }

  /** Runs that no gateway has spoken of: theirs is gone, and they are about to end. */
  List<RunOrder> orphans() {
    return runs.stream()
        .filter(run -> !present.containsKey(run.attempt()) && !absent.contains(run.attempt()))
        .toList();
  }
}
