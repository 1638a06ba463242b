package dev.rowhouse.inference;

/**
 * A run tells its worker what a call says of its model's endpoint. The first token says it, so that
 * a long answer does not keep an endpoint in doubt; a fault after it is told too.
 *
 * @param tookMillis from the start of the call, so that clocks need not agree
 * @param retryAfterMillis how long a throttled endpoint asks for; 0 otherwise
 */
record CallEnded(String model, CallOutcome outcome, long tookMillis, long retryAfterMillis)
    implements RunNote {}
