package dev.rowhouse.cluster;

import java.util.List;

/** What a client wanted: one request, and others in its place as long as none was answered. */
record Operation(List<Attempt> attempts) {
  Operation {
    attempts = List.copyOf(attempts);
    if (attempts.isEmpty()) {
      throw new IllegalArgumentException("an operation has at least one attempt");
    }
  }

  boolean succeeded() {
    return attempts.getLast().isAcknowledged();
  }

  long beganMillis() {
    return attempts.getFirst().beganMillis();
  }

  long millis() {
    return attempts.getLast().endedMillis() - beganMillis();
  }

  /** Attempts that somebody saw and that failed; a load balancer would not have hidden them. */
  long failures() {
    return attempts.stream()
        .filter(
            attempt ->
                attempt.outcome() == Attempt.Outcome.REFUSED
                    || attempt.outcome() == Attempt.Outcome.UNKNOWN)
        .count();
  }
}
