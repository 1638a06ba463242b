package dev.rowhouse.retrieval;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which sentences of the passages answer a question: score = cosine + 0.5 * keywords.
 *
 * <p>The keyword part is BM25 over the candidate sentences (k1 = 0.9, b = 0.4), divided by what a
 * sentence of common length with each of the question's words once would get. So it stays small
 * when the sentences lack most of the question, and a score can be compared with a fixed bound: a
 * plain maximum would make the best of nothing look good. The last heading above a sentence is
 * taken as its first words, because "Within 30 days." means little without "Refunds".
 */
final class SentenceScorer {
  private static final double KEYWORD_WEIGHT = 0.5;
  private static final double K1 = 0.9;
  private static final double B = 0.4;
  private static final int WORDS_MAX = 256;
  private static final int SENTENCE_CHARS_MIN = 8;

  private static final Pattern LEAD =
      Pattern.compile("^\\s*(?:#{1,6}\\s+.*\\n+|>\\s?|[-*+•]\\s+|\\d{1,9}[.)]\\s+|\\|)*");
  private static final Pattern MARKS = Pattern.compile("\\*\\*|__|`|(?<!\\w)[*_]|[*_](?!\\w)");
  private static final Pattern LINK =
      Pattern.compile("!?\\[([^\\]\\[]{0,500})]\\([^)\\s]{0,2000}\\)");
  private static final Pattern SPACE = Pattern.compile("\\s+");

  private final Embedder embedder;
  private final SentenceVectors vectors;
  private final int candidatesMax;
  private final double fitScoreMin;

  SentenceScorer(
      Embedder embedder, SentenceVectors vectors, int candidatesMax, double fitScoreMin) {
    this.embedder = embedder;
    this.vectors = vectors;
    this.candidatesMax = candidatesMax;
    this.fitScoreMin = fitScoreMin;
  }

  private record Candidate(
      String text, String context, String fileId, int passageIndex, List<String> words) {}

  /** Blocks on a processor. */
  Extract best(String question, List<Passage> passages, int sentencesMax) {
    List<Candidate> candidates = candidates(passages);
    if (candidates.isEmpty() || question.isBlank()) {
      return new Extract(List.of(), false, fitScoreMin);
    }
    double[] keywords = keywords(question, candidates);
    float[] asked = embedder.embedQuery(question);
    List<Extract.Sentence> scored = new ArrayList<>();
    for (int i : chosen(keywords)) {
      Candidate candidate = candidates.get(i);
      double cosine =
          Vectors.cosine(asked, vectors.vector(candidate.fileId(), candidate.context()));
      double score = cosine + KEYWORD_WEIGHT * keywords[i];
      scored.add(
          new Extract.Sentence(
              candidate.text(), candidate.passageIndex(), cosine, keywords[i], score));
    }
    scored.sort(Comparator.comparingDouble(sentence -> -sentence.score()));
    boolean fits = scored.getFirst().score() >= fitScoreMin;
    return new Extract(scored.subList(0, Math.min(sentencesMax, scored.size())), fits, fitScoreMin);
  }

  private static List<Candidate> candidates(List<Passage> passages) {
    List<Candidate> candidates = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < passages.size(); i++) {
      Passage passage = passages.get(i);
      String title = lastTitle(passage.heading());
      for (String raw : Sentences.split(passage.text())) {
        String text = plain(raw);
        boolean says = text.length() >= SENTENCE_CHARS_MIN && text.indexOf(' ') > 0;
        if (says && !text.equals(title) && seen.add(passage.fileId() + "/" + text)) {
          String context = title.isEmpty() ? text : title + ": " + text;
          candidates.add(
              new Candidate(text, context, passage.fileId(), i, Keywords.of(context, WORDS_MAX)));
        }
      }
    }
    return candidates;
  }

  private static String lastTitle(String path) {
    int separator = path.lastIndexOf(MarkdownSections.SEPARATOR);
    return separator < 0 ? path : path.substring(separator + MarkdownSections.SEPARATOR.length());
  }

  /** A sentence as it is read: without the marks of Markdown, on one line. */
  static String plain(String raw) {
    String text = LEAD.matcher(raw).replaceFirst("");
    text = LINK.matcher(text).replaceAll("$1");
    text = MARKS.matcher(text).replaceAll("");
    text = SPACE.matcher(text).replaceAll(" ").strip();
    return text.startsWith("#") ? "" : text;
  }

  /** For each candidate, in [0, 1]. */
  private static double[] keywords(String question, List<Candidate> candidates) {
    Set<String> asked = new LinkedHashSet<>(Keywords.of(question, WORDS_MAX));
    Map<String, Integer> having = new HashMap<>();
    double lengths = 0;
    for (Candidate candidate : candidates) {
      lengths += candidate.words().size();
      for (String word : new HashSet<>(candidate.words())) {
        having.merge(word, 1, Integer::sum);
      }
    }
    double meanLength = Math.max(1, lengths / candidates.size());
    double most = 0;
    for (String word : asked) {
      most += rarity(having.getOrDefault(word, 0), candidates.size());
    }
    double[] scores = new double[candidates.size()];
    for (int i = 0; i < scores.length; i++) {
      List<String> words = candidates.get(i).words();
      double length = K1 * (1 - B + B * words.size() / meanLength);
      double sum = 0;
      for (String word : asked) {
        long times = words.stream().filter(word::equals).count();
        double weight = rarity(having.getOrDefault(word, 0), candidates.size());
        sum += weight * times * (K1 + 1) / (times + length);
      }
      scores[i] = most == 0 ? 0 : Math.min(1, sum / most);
    }
    return scores;
  }

  private static double rarity(int having, int all) {
    return Math.log(1 + (all - having + 0.5) / (having + 0.5));
  }

  /** The first half of the places for the best passages, the other for the best keywords. */
  private List<Integer> chosen(double[] keywords) {
    Set<Integer> chosen = new LinkedHashSet<>();
    for (int i = 0; i < keywords.length && i < candidatesMax / 2; i++) {
      chosen.add(i);
    }
    List<Integer> byKeywords = new ArrayList<>();
    for (int i = 0; i < keywords.length; i++) {
      byKeywords.add(i);
    }
    byKeywords.sort(Comparator.comparingDouble(i -> -keywords[i]));
    for (int i : byKeywords) {
      if (chosen.size() < candidatesMax) {
        chosen.add(i);
      }
    }
    return List.copyOf(chosen);
  }
}
