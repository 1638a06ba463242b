package dev.rowhouse.serving;

import dev.rowhouse.inference.RunReport;
import java.util.Locale;

/** The words of refusals that more than one place says. */
public final class Refusals {
  /** How long a full queue or full concurrency is taken to last: runs end in seconds. */
  static final long QUEUE_RETRY_MILLIS = 1_000;

  /** How long a request may wait for a slot when no plan says so. */
  static final long QUEUE_TIMEOUT_MILLIS = 30_000;

  /** A partition lasts for seconds at least. */
  private static final long MAJORITY_RETRY_MILLIS = 5_000;

  private Refusals() {}

  public static Refusal invalidKey() {
    return Refusal.of(
        401,
        "invalid_api_key",
        "Incorrect API key provided. Send 'Authorization: Bearer rh_...' with a key that the"
            + " operator has made and that is neither revoked nor expired.");
  }

  public static Refusal unknownModel(String asked) {
    return Refusal.field(
        404,
        "model_not_found",
        "model",
        "The model '" + asked + "' does not exist. GET /v1/models lists those that do.");
  }

  public static Refusal journalUnavailable(long retryMillis) {
    return Refusal.until(
        503,
        "journal_unavailable",
        "The usage journal does not answer, so nothing new is admitted. Try again shortly.",
        retryMillis);
  }

  static Refusal journalUnreadable(long retryMillis) {
    return Refusal.until(
        503,
        "journal_unavailable",
        "The usage journal of this tenant cannot be read at present, so nothing new is admitted."
            + " It is tried again; the operator finds the reason in the node's log and by a"
            + " replay of this tenant's totals.",
        retryMillis);
  }

  /** This node is cut off from most of its cluster; another one may serve. */
  public static Refusal noMajority() {
    return Refusal.until(
        503,
        "no_majority",
        "This node does not reach the majority of its cluster, so it admits nothing. Try again"
            + " shortly.",
        MAJORITY_RETRY_MILLIS);
  }

  public static Refusal noCapacity(String message) {
    return Refusal.until(503, "no_capacity", message, QUEUE_RETRY_MILLIS);
  }

  static Refusal queueTimeout(long waitedMillis) {
    return Refusal.until(
        503,
        "queue_timeout",
        "No capacity slot became free within " + duration(waitedMillis) + ". Try again later.",
        QUEUE_RETRY_MILLIS);
  }

  /** What waits before the request takes longer than the request may wait. */
  static Refusal tooLate(long expectedMillis, long allowedMillis) {
    return Refusal.until(
        503,
        "queue_timeout",
        "The requests that wait before this one take about "
            + duration(expectedMillis)
            + ", and it may wait "
            + duration(allowedMillis)
            + ". Try again later, or send fewer at once.",
        Math.max(QUEUE_RETRY_MILLIS, expectedMillis - allowedMillis));
  }

  /** The no of a run: its own status and code, and the time that its upstream named. */
  static Refusal ofRun(RunReport report) {
    String code = String.valueOf(report.errorCode());
    String message = report.errorMessage() == null ? code : report.errorMessage();
    if (report.httpStatus() < 500) {
      return new Refusal(report.httpStatus(), code, message, report.errorParam(), 0, false);
    }
    long millis = report.retryAfterMillis() > 0 ? report.retryAfterMillis() : QUEUE_RETRY_MILLIS;
    return new Refusal(
        report.httpStatus(),
        code,
        message,
        report.errorParam(),
        millis,
        millis <= Refusal.RETRY_DELAY_MAX_MILLIS);
  }

  static String limit(String name, long limit, long used, long resetMillis) {
    return "Limit "
        + name
        + " reached: limit "
        + limit
        + ", used "
        + used
        + ", "
        + resetsIn(resetMillis)
        + ".";
  }

  /** The words by which a refusal that is repeated later is brought up to date. */
  static String resetsIn(long millis) {
    return "resets in " + duration(millis);
  }

  /** As OpenAI writes durations in its headers: {@code 20ms}, {@code 1.5s}, {@code 6m0s}. */
  public static String duration(long millis) {
    if (millis < 1000) {
      return millis + "ms";
    }
    long minutes = millis / 60_000;
    if (minutes == 0) {
      String seconds = String.format(Locale.ROOT, "%.3f", millis / 1000.0);
      return seconds.replaceAll("\\.?0+$", "") + "s";
    }
    long hours = minutes / 60;
    String rest = minutes % 60 + "m" + millis % 60_000 / 1000 + "s";
    return hours == 0 ? rest : hours + "h" + rest;
  }
}
