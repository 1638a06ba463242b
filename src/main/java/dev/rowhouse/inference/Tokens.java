package dev.rowhouse.inference;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;

/**
 * Our own count of tokens (o200k_base), for answers that nobody else counted. Special-token strings
 * in a user's text count as the ordinary text that they are.
 */
final class Tokens {
  /** How much text a meter keeps before it counts it; bounds its memory. */
  private static final int METER_CHARS_MAX = 16_384;

  private Tokens() {}

  /** Loaded with the first count: the table takes some hundred milliseconds and is often unused. */
  private static final class Table {
    static final Encoding O200K =
        Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);
  }

  static long count(String text) {
    return text.isEmpty() ? 0 : Table.O200K.countTokensOrdinary(text);
  }

  /** The longest beginning of the text that has at most so many tokens and splits no character. */
  static String cut(String text, int tokensMax) {
    if (text.length() <= tokensMax) {
      return text; // a token is at least one character long
    }
    var tokens = Table.O200K.encodeOrdinary(text, tokensMax);
    return tokens.isTruncated() ? Table.O200K.decode(tokens.getTokens()) : text;
  }

  /** Adds up the tokens of a text that comes in pieces. Off by one at most at each fold. */
  static final class Meter {
    private final StringBuilder pending = new StringBuilder();
    private long counted;

    void add(String text) {
      pending.append(text);
      if (pending.length() >= METER_CHARS_MAX) {
        fold();
      }
    }

    long total() {
      fold();
      return counted;
    }

    private void fold() {
      counted += count(pending.toString());
      pending.setLength(0);
    }
  }
}
