package dev.rowhouse.retrieval;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/** The words of a text as keyword search sees them: English stems without stop words. */
final class Keywords {
  /** Shared by every index and every question, so that both see the same words. */
  static final Analyzer ANALYZER = new EnglishAnalyzer();

  private Keywords() {}

  /** In order, with repetitions, at most {@code wordsMax}. */
  static List<String> of(String text, int wordsMax) {
    List<String> words = new ArrayList<>();
    try (TokenStream stream = ANALYZER.tokenStream("body", text)) {
      CharTermAttribute word = stream.addAttribute(CharTermAttribute.class);
      stream.reset();
      while (words.size() < wordsMax && stream.incrementToken()) {
        words.add(word.toString());
      }
      stream.end();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return words;
  }
}
