package dev.rowhouse.replay;

import org.jspecify.annotations.Nullable;

/** Why a replay cannot be done as it was asked for, in words for the one who asked. */
public final class ReplayProblem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;
  private final @Nullable String field;

  /**
   * A problem.
   *
   * @param status as an HTTP status
   * @param field of the request; absent: none of them is wrong
   */
  public ReplayProblem(int status, String code, @Nullable String field, String message) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  static ReplayProblem badRequest(String field, String message) {
    return new ReplayProblem(400, "invalid_request_error", field, message);
  }

  public int status() {
    return status;
  }

  public String code() {
    return code;
  }

  public @Nullable String field() {
    return field;
  }

  public String text() {
    return String.valueOf(getMessage());
  }
}
