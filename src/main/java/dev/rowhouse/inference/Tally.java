package dev.rowhouse.inference;

import dev.rowhouse.inference.EngineEvent.Failure;
import dev.rowhouse.inference.RunReport.Outcome;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one call, kept for its settlement. The upstream's own count wins, zero included;
 * without one we count what went in and what came out, and say that it is an estimate. A call that
 * failed before it gave a token costs nothing.
 */
final class Tally {
  /** Characters that a token has on average; the end corrects it. */
  private static final int CHARS_PER_TOKEN = 4;

  private final RunOrder order;
  private final String addedText;
  private final Tokens.Meter output = new Tokens.Meter();
  private final String modelAnswered;
  private EngineEvent.@Nullable Usage usage;
  private boolean called;
  private boolean answered;
  private long chunks;
  private long chars;
  private long firstTokenMillis = -1;

  /**
   * @param addedText what we put before the client's messages; counted only when nobody else does
   */
  Tally(RunOrder order, String model, String addedText) {
    this.order = order;
    this.modelAnswered = model;
    this.addedText = addedText;
  }

  /** The engine has been asked: from now on a cancelled request has cost its input. */
  void called() {
    called = true;
  }

  void usage(EngineEvent.Usage counted) {
    usage = counted;
  }

  /** Something came that the client waits for. */
  void token(String text, long nowMillis) {
    if (!answered) {
      answered = true;
      firstTokenMillis = sinceAdmission(nowMillis);
    }
    chunks++;
    chars += text.length();
    output.add(text);
  }

  long inputTokens() {
    if (usage != null) {
      return usage.inputTokens();
    }
    return order.inputTokens() + Tokens.count(addedText);
  }

  /** Whether there is anything to charge yet: the input counts from the first token on. */
  boolean hasSpent() {
    return answered || usage != null;
  }

  /** About what the question has; cheap, as below. */
  long inputTokensSoFar() {
    return usage != null
        ? usage.inputTokens()
        : order.inputTokens() + addedText.length() / CHARS_PER_TOKEN;
  }

  /** About what the answer has so far; cheap, because it is asked for often. */
  long outputTokensSoFar() {
    return usage != null ? usage.outputTokens() : Math.max(chunks, chars / CHARS_PER_TOKEN);
  }

  long outputTokens() {
    return usage != null ? usage.outputTokens() : output.total();
  }

  /** The usage object that the client sees. */
  ByteString usageJson() {
    return usage != null ? usage.json() : AnswerWriter.usage(inputTokens(), outputTokens());
  }

  RunReport completed(long nowMillis) {
    return report(Outcome.COMPLETED, null, true, nowMillis);
  }

  RunReport failed(Failure failure, long nowMillis) {
    return report(Outcome.FAILED, failure, answered, nowMillis);
  }

  RunReport cancelled(long nowMillis) {
    Failure gone = new Failure("cancelled", 499, "the client left", null);
    return report(Outcome.CANCELLED, gone, called, nowMillis);
  }

  /**
   * The report of a run that crashed. The engine may have read the prompt, so its tokens count;
   * what it wrote nobody knows.
   */
  static RunReport crashed(RunOrder order, long nowMillis) {
    return new RunReport(
        order,
        Outcome.FAILED,
        order.inputTokens(),
        0,
        true,
        order.model().name(),
        Failure.UPSTREAM_ERROR,
        "The worker that ran this request failed.",
        null,
        502,
        -1,
        Math.max(0, nowMillis - order.admittedAt().toEpochMilli()));
  }

  private RunReport report(
      Outcome outcome, @Nullable Failure failure, boolean costs, long nowMillis) {
    boolean counted = usage != null;
    return new RunReport(
        order,
        outcome,
        counted || costs ? inputTokens() : 0,
        counted || costs ? outputTokens() : 0,
        costs && !counted,
        modelAnswered,
        failure == null ? null : failure.code(),
        failure == null ? null : failure.message(),
        failure == null ? null : failure.param(),
        failure == null ? 200 : failure.httpStatus(),
        firstTokenMillis,
        sinceAdmission(nowMillis),
        failure == null ? 0 : failure.retryAfterMillis());
  }

  /** Clocks of two nodes may differ; a time is never negative. */
  private long sinceAdmission(long nowMillis) {
    return Math.max(0, nowMillis - order.admittedAt().toEpochMilli());
  }
}
