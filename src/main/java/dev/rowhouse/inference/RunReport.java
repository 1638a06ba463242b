package dev.rowhouse.inference;

import org.jspecify.annotations.Nullable;

/**
 * How a run ended, in figures. Zero tokens are a figure too: a run that spent nothing says so.
 *
 * @param modelAnswered the model that answered; the upstream's own name of it where it gave one
 * @param estimated whether the tokens are our count, because the upstream gave none
 * @param errorCode a code of the HTTP contract; absent when it went well
 * @param httpStatus what the client gets when nothing was sent yet
 * @param timeToFirstTokenMillis from admission; -1 when there was none
 * @param latencyMillis from admission
 */
public record RunReport(
    RunOrder order,
    Outcome outcome,
    long inputTokens,
    long outputTokens,
    boolean estimated,
    String modelAnswered,
    @Nullable String errorCode,
    @Nullable String errorMessage,
    int httpStatus,
    long timeToFirstTokenMillis,
    long latencyMillis) {

  public enum Outcome {
    COMPLETED,
    CANCELLED,
    FAILED
  }
}
