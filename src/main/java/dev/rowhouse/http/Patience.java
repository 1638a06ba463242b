package dev.rowhouse.http;

import dev.rowhouse.tenant.FieldReader;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * How long a client will wait for its answer, as far as it says so: in the body ({@code
 * rowhouse.deadline_ms}), or by the header in which OpenAI's SDKs tell their time-out. A request
 * that cannot be answered by then is not worth a slot.
 *
 * @param requestTimeoutMillis what the house allows a request
 * @param sdkMillis the time-out of the client's SDK; absent: not told
 */
record Patience(long requestTimeoutMillis, @Nullable Long sdkMillis) {
  static final String SDK_HEADER = "x-stainless-timeout";
  static final String FIELD = "deadline_ms";

  private static final int HEADER_LENGTH_MAX = 20;

  /** Node's SDK cuts its time-out to whole seconds: 0 is anything below one. */
  private static final long SDK_MILLIS_MIN = 1_000;

  /** The body's word, read from the object {@code rowhouse}. */
  @Nullable Long field(FieldReader rowhouse) {
    return rowhouse.integer(FIELD, 1, requestTimeoutMillis);
  }

  /**
   * When the request is given up. The SDK's time-out counts for a whole answer only: for a stream
   * it is the time to the first byte in some SDKs, and the house sends that early.
   */
  long deadlineMillis(long receivedAtMillis, @Nullable Long fieldMillis, boolean stream) {
    long wait = requestTimeoutMillis;
    if (fieldMillis != null) {
      wait = Math.min(wait, fieldMillis);
    }
    if (sdkMillis != null && !stream) {
      wait = Math.min(wait, sdkMillis);
    }
    return receivedAtMillis + wait;
  }

  /** The header's seconds in milliseconds, or null when they are no such thing. */
  static @Nullable Long sdkMillis(String seconds) {
    if (seconds.length() > HEADER_LENGTH_MAX || !seconds.matches("[0-9]+(\\.[0-9]+)?")) {
      return null;
    }
    BigDecimal millis = new BigDecimal(seconds).movePointRight(3);
    long most = Integer.MAX_VALUE;
    return Math.max(SDK_MILLIS_MIN, millis.min(BigDecimal.valueOf(most)).longValue());
  }
}
