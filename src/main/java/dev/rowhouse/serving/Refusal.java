package dev.rowhouse.serving;

import org.jspecify.annotations.Nullable;

/**
 * A definite no, with all that the client needs to do better.
 *
 * @param code a code of the HTTP contract
 * @param param the field that is to blame
 * @param resetMillis when to come back, from now; 0: coming back does not help by itself
 * @param retry whether an SDK should try again by itself
 */
public record Refusal(
    int httpStatus,
    String code,
    String message,
    @Nullable String param,
    long resetMillis,
    boolean retry) {

  /**
   * SDKs ignore a delay over this and hammer instead, so from here on they are told not to retry.
   */
  static final long RETRY_DELAY_MAX_MILLIS = 60_000;

  public static Refusal of(int httpStatus, String code, String message) {
    return new Refusal(httpStatus, code, message, null, 0, false);
  }

  public static Refusal field(int httpStatus, String code, String param, String message) {
    return new Refusal(httpStatus, code, message, param, 0, false);
  }

  /** This refusal when it is repeated so much later: its reset has come nearer. */
  Refusal after(long millis) {
    long left = Math.max(1, resetMillis - millis);
    return new Refusal(
        httpStatus,
        code,
        message.replace(Refusals.resetsIn(resetMillis), Refusals.resetsIn(left)),
        param,
        left,
        // A spent budget stays what it is: nobody waits for a month.
        retry || (left <= RETRY_DELAY_MAX_MILLIS && !code.equals("budget_exhausted")));
  }

  public static Refusal until(int httpStatus, String code, String message, long resetMillis) {
    return new Refusal(
        httpStatus, code, message, null, resetMillis, resetMillis <= RETRY_DELAY_MAX_MILLIS);
  }
}
