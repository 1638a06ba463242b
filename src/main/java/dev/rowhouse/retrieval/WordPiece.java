package dev.rowhouse.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The uncased word pieces of BERT (Devlin et al. 2018; normaliser and greedy longest match as in
 * Hugging Face's tokenizers).
 *
 * <p>Text is cleaned of control characters, ideographs stand alone, accents go, letters become
 * small, punctuation stands alone, and each word is cut into the longest pieces that the vocabulary
 * holds. A literal {@code [MASK]} in the text is three pieces like any other; only this class adds
 * markers, so a text can not inject one.
 */
final class WordPiece {
  private static final int WORD_CHARS_MAX = 100;
  private static final String CONTINUATION = "##";

  private final Map<String, Integer> starts = new HashMap<>();
  private final Map<String, Integer> continuations = new HashMap<>();
  private final int pieceCharsMax;
  private final int unknown;
  private final int first;
  private final int last;

  WordPiece(JsonNode tokenizer) {
    JsonNode vocabulary = tokenizer.path("model").path("vocab");
    int longest = 1;
    for (var entry : vocabulary.properties()) {
      String piece = entry.getKey();
      int id = entry.getValue().intValue();
      if (piece.startsWith(CONTINUATION) && piece.length() > CONTINUATION.length()) {
        String rest = piece.substring(CONTINUATION.length());
        continuations.put(rest, id);
        longest = Math.max(longest, rest.length());
      } else {
        starts.put(piece, id);
        longest = Math.max(longest, piece.length());
      }
    }
    pieceCharsMax = longest;
    unknown = special("[UNK]");
    first = special("[CLS]");
    last = special("[SEP]");
  }

  private int special(String marker) {
    Integer id = starts.get(marker);
    if (id == null) {
      throw new IllegalArgumentException("the vocabulary lacks " + marker);
    }
    return id;
  }

  /** The ids of a text between the two markers, at most {@code lengthMax} with them. */
  long[] encode(String text, int lengthMax) {
    Ids ids = new Ids(lengthMax - 1);
    ids.add(first);
    pieces(text, ids);
    long[] sequence = Arrays.copyOf(ids.values, ids.length + 1);
    sequence[ids.length] = last;
    return sequence;
  }

  /** How many pieces a text has, without the markers. */
  int count(String text) {
    Ids ids = new Ids(Integer.MAX_VALUE);
    pieces(text, ids);
    return ids.length;
  }

  private void pieces(String text, Ids ids) {
    String normal = normalise(text);
    int length = normal.length();
    int start = -1;
    for (int at = 0; at < length && !ids.isFull(); ) {
      int point = normal.codePointAt(at);
      int width = Character.charCount(point);
      boolean space = point == ' ';
      if (space || isPunctuation(point)) {
        if (start >= 0) {
          word(normal, start, at, ids);
          start = -1;
        }
        if (!space) {
          word(normal, at, at + width, ids);
        }
      } else if (start < 0) {
        start = at;
      }
      at += width;
    }
    if (start >= 0) {
      word(normal, start, length, ids);
    }
  }

  private void word(String text, int from, int to, Ids ids) {
    if (text.codePointCount(from, to) > WORD_CHARS_MAX) {
      ids.add(unknown);
      return;
    }
    int mark = ids.length;
    Map<String, Integer> vocabulary = starts;
    int at = from;
    while (at < to) {
      int end = Math.min(to, at + pieceCharsMax);
      Integer id = null;
      while (end > at && (id = vocabulary.get(text.substring(at, end))) == null) {
        end--;
      }
      if (id == null) {
        ids.length = mark;
        ids.add(unknown);
        return;
      }
      ids.add(id);
      at = end;
      vocabulary = continuations;
    }
  }

  /** Cleaned, with spaces around ideographs, without accents, in small letters. */
  static String normalise(String text) {
    StringBuilder clean = new StringBuilder(text.length() + 16);
    boolean ascii = true;
    for (int at = 0; at < text.length(); ) {
      int point = text.codePointAt(at);
      at += Character.charCount(point);
      if (point < 0x80) {
        if (point > 0x20 && point < 0x7f) {
          clean.append((char) (point >= 'A' && point <= 'Z' ? point + 32 : point));
        } else if (point == ' ' || point == '\t' || point == '\n' || point == '\r') {
          clean.append(' ');
        }
      } else if (isSpace(point)) {
        clean.append(' ');
      } else if (point != 0xfffd && !isControl(point)) {
        ascii = false;
        if (isIdeograph(point)) {
          clean.append(' ').appendCodePoint(point).append(' ');
        } else {
          clean.appendCodePoint(point);
        }
      }
    }
    return ascii ? clean.toString() : smallWithoutAccents(clean);
  }

  private static String smallWithoutAccents(CharSequence text) {
    String split = Normalizer.normalize(text, Normalizer.Form.NFD);
    StringBuilder small = new StringBuilder(split.length());
    for (int at = 0; at < split.length(); ) {
      int point = split.codePointAt(at);
      at += Character.charCount(point);
      if (Character.getType(point) != Character.NON_SPACING_MARK) {
        small.appendCodePoint(Character.toLowerCase(point));
      }
    }
    return small.toString();
  }

  private static boolean isSpace(int point) {
    return Character.isWhitespace(point) || Character.isSpaceChar(point);
  }

  private static boolean isControl(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.UNASSIGNED,
          Character.PRIVATE_USE,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  private static boolean isPunctuation(int point) {
    if (point < 0x80) {
      return (point >= 33 && point <= 47)
          || (point >= 58 && point <= 64)
          || (point >= 91 && point <= 96)
          || (point >= 123 && point <= 126);
    }
    return switch (Character.getType(point)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** The blocks that BERT's normaliser sets apart; kana and hangul are not among them. */
  private static boolean isIdeograph(int point) {
    return (point >= 0x4e00 && point <= 0x9fff)
        || (point >= 0x3400 && point <= 0x4dbf)
        || (point >= 0x20000 && point <= 0x2a6df)
        || (point >= 0x2a700 && point <= 0x2b73f)
        || (point >= 0x2b740 && point <= 0x2b81f)
        || (point >= 0x2b820 && point <= 0x2ceaf)
        || (point >= 0xf900 && point <= 0xfaff)
        || (point >= 0x2f800 && point <= 0x2fa1f);
  }

  /** A growing list of ids that drops what goes beyond its limit. */
  private static final class Ids {
    private final int limit;
    private long[] values = new long[64];
    private int length;

    Ids(int limit) {
      this.limit = limit;
    }

    boolean isFull() {
      return length >= limit;
    }

    void add(long id) {
      if (isFull()) {
        return;
      }
      if (length == values.length) {
        values = Arrays.copyOf(values, length * 2);
      }
      values[length++] = id;
    }
  }
}
