package dev.rowhouse.cluster;

import org.jspecify.annotations.Nullable;

/**
 * One request of a client, and what it saw of it.
 *
 * @param id the answer's {@code x-request-id}; empty when no answer came
 * @param gateway the node that was asked
 * @param beganMillis since the load began
 * @param code of an error answer; empty when there was none
 * @param foreign a canary of another tenant that the answer had in it
 */
record Attempt(
    String tenant,
    String id,
    int gateway,
    long beganMillis,
    long endedMillis,
    Outcome outcome,
    int status,
    String code,
    @Nullable String foreign) {

  /** How it ended for its client. */
  enum Outcome {
    /** The answer came to its end: its usage is acknowledged. */
    ACKNOWLEDGED,
    /** An error status, or an error event in a stream. */
    REFUSED,
    /** The connection was never made: nobody has seen this request. */
    NOT_CONNECTED,
    /** The connection broke, or nothing came in time: it may have run or not. */
    UNKNOWN
  }

  long millis() {
    return endedMillis - beganMillis;
  }

  boolean isAcknowledged() {
    return outcome == Outcome.ACKNOWLEDGED;
  }
}
