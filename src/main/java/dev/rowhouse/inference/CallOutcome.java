package dev.rowhouse.inference;

/**
 * What the end of a call says of the endpoint that was called. Much says nothing of it: a client
 * that left, a limit of ours, an answer that we cannot read.
 */
enum CallOutcome {
  /** It answered: with a token, or with a definite no to this request (4xx). */
  ANSWERED,
  /** It refused the connection, broke it, was too late, or said 5xx. */
  FAULT,
  /** It asked to be left alone for a while: 429 with Retry-After. */
  THROTTLED
}
