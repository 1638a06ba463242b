package dev.rowhouse.inference;

import org.jspecify.annotations.Nullable;

/**
 * How a run ended, in figures. Zero tokens are a figure too: a run that spent nothing says so.
 *
 * @param modelAnswered the house's name of the model that answered: what is priced, and what a
 *     tenant may know
 * @param estimated whether the tokens are our count, because the upstream gave none
 * @param errorCode a code of the HTTP contract; absent when it went well
 * @param errorParam the field of the request that is to blame, if one is
 * @param httpStatus what the client gets when nothing was sent yet
 * @param timeToFirstTokenMillis from admission; -1 when there was none
 * @param latencyMillis from admission
 * @param retryAfterMillis when the upstream said that it wants to be asked again; 0: no word of it
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
    @Nullable String errorParam,
    int httpStatus,
    long timeToFirstTokenMillis,
    long latencyMillis,
    long retryAfterMillis) {

  /** A report of a run whose upstream named no time to come back. */
  public RunReport(
      RunOrder order,
      Outcome outcome,
      long inputTokens,
      long outputTokens,
      boolean estimated,
      String modelAnswered,
      @Nullable String errorCode,
      @Nullable String errorMessage,
      @Nullable String errorParam,
      int httpStatus,
      long timeToFirstTokenMillis,
      long latencyMillis) {
    this(
        order,
        outcome,
        inputTokens,
        outputTokens,
        estimated,
        modelAnswered,
        errorCode,
        errorMessage,
        errorParam,
        httpStatus,
        timeToFirstTokenMillis,
        latencyMillis,
        0);
  }

  public enum Outcome {
    COMPLETED,
    CANCELLED,
    FAILED
  }
}
