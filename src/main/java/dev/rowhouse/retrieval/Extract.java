package dev.rowhouse.retrieval;

import java.util.List;

/**
 * The sentences of some passages that answer a question best, best first.
 *
 * @param fits whether the best one is good enough to be an answer; when it is not, say that nothing
 *     fits rather than show it
 * @param fitScoreMin the score from which a sentence is an answer
 */
public record Extract(List<Sentence> sentences, boolean fits, double fitScoreMin) {
  public Extract {
    sentences = List.copyOf(sentences);
  }

  /**
   * A sentence, without marks of Markdown.
   *
   * @param passageIndex which of the given passages it is from
   * @param cosine of question and sentence, in [-1, 1]
   * @param keywords BM25 over the best possible for the question, in [0, 1]: about the share of the
   *     question's words that the sentence has, rare words counting more
   * @param score cosine + 0.5 * keywords
   */
  public record Sentence(
      String text, int passageIndex, double cosine, double keywords, double score) {}
}
