package dev.rowhouse.http;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;

/**
 * How many tokens a text has, by o200k_base. It is an estimate for reservations: what is billed is
 * what the model reports.
 */
final class TokenEstimate {
  /**
   * A longer text is estimated from its length, because counting it would cost more than it tells.
   */
  private static final int COUNTED_CHARS_MAX = 16 * 1024;

  /** Characters that a token has on average in English; fewer elsewhere. */
  private static final int CHARS_PER_TOKEN = 4;

  /** What a message costs beside its text, as OpenAI documents for its chat format. */
  static final int PER_MESSAGE = 4;

  private static final class Holder {
    static final Encoding ENCODING =
        Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);
  }

  private TokenEstimate() {}

  static long of(String text) {
    return text.length() <= COUNTED_CHARS_MAX
        ? Holder.ENCODING.countTokensOrdinary(text)
        : text.length() / CHARS_PER_TOKEN;
  }

  /** Loads the tables, so that the first request does not pay for it. */
  static void warmUp() {
    of("warm");
  }
}
