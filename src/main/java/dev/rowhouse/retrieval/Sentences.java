package dev.rowhouse.retrieval;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Cuts text at the ends of its sentences, and puts back what Unicode's rules cut too much: after an
 * abbreviation or an initial. A blank line and a list item end a sentence as well.
 *
 * <p>The cuts keep every character: the parts, joined, are the text.
 */
final class Sentences {
  private static final Set<String> ABBREVIATIONS =
      Set.of(
          "mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "etc", "e.g", "i.e", "cf", "al",
          "fig", "figs", "eq", "no", "nos", "vol", "ed", "eds", "pp", "approx", "inc", "ltd", "co",
          "corp", "dept", "est", "gen", "gov", "sec", "ref", "refs", "ca", "resp", "tab", "u.s",
          "u.k", "a.m", "p.m", "ph.d");
  // A line that starts an item, a row, a quote or a paragraph of its own.
  private static final Pattern LINE_START =
      Pattern.compile("\\n(?=[ \\t]*(?:[-*+•|>] ?|\\d{1,9}[.)][ \\t]|\\n))");

  /**
   * Beyond this a sentence ends at the next mark, abbreviation or not: some texts are nothing else.
   */
  private static final int SENTENCE_CHARS_MAX = 2_000;

  private Sentences() {}

  static List<String> split(String text) {
    List<Integer> ends = new ArrayList<>();
    // A line that only wraps is no end of a sentence, which the iterator would take it for.
    String unwrapped = text.replace('\n', ' ').replace('\r', ' ');
    BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ENGLISH);
    int start = 0;
    var lines = LINE_START.matcher(text);
    while (lines.find()) {
      paragraph(unwrapped, start, lines.end(), breaks, ends);
      start = lines.end();
    }
    paragraph(unwrapped, start, text.length(), breaks, ends);
    return parts(text, ends);
  }

  private static void paragraph(
      String text, int from, int to, BreakIterator breaks, List<Integer> ends) {
    if (from == to) {
      return;
    }
    String paragraph = text.substring(from, to);
    breaks.setText(paragraph);
    int start = 0;
    for (int end = breaks.next(); end != BreakIterator.DONE; end = breaks.next()) {
      if (end == paragraph.length()
          || end - start > SENTENCE_CHARS_MAX
          || !endsInAbbreviation(paragraph, start, end)) {
        ends.add(from + end);
        start = end;
      }
    }
  }

  /** The parts that end there; blank ones belong to the sentence before them. */
  private static List<String> parts(String text, List<Integer> ends) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < ends.size(); i++) {
      boolean last = i + 1 == ends.size();
      if (last || !isBlank(text, ends.get(i), ends.get(i + 1))) {
        parts.add(text.substring(start, ends.get(i)));
        start = ends.get(i);
      }
    }
    return parts;
  }

  private static boolean isBlank(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Character.isWhitespace(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean endsInAbbreviation(String text, int start, int end) {
    int dot = end;
    while (dot > start && Character.isWhitespace(text.charAt(dot - 1))) {
      dot--;
    }
    dot--;
    if (dot < start || text.charAt(dot) != '.') {
      return false;
    }
    int from = dot;
    while (from > start && isWordPart(text.charAt(from - 1))) {
      from--;
    }
    String word = text.substring(from, dot);
    boolean initial = word.length() == 1 && Character.isUpperCase(word.charAt(0));
    boolean itemNumber =
        isBlank(text, start, from) && !word.isEmpty() && word.chars().allMatch(c -> isDigit(c));
    return initial || itemNumber || ABBREVIATIONS.contains(word.toLowerCase(Locale.ROOT));
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isWordPart(char c) {
    return Character.isLetterOrDigit(c) || c == '.';
  }
}
