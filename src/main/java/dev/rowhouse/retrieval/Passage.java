package dev.rowhouse.retrieval;

import java.util.Map;

/**
 * A chunk that a search found.
 *
 * @param score its fused rank in [0, 1]: the sum of 1/(60 + rank) over the keyword and the vector
 *     list, over the most that it can be. 1 is first in both; 0.5 is about first in one only. It
 *     compares the results of one search and says nothing about how well the best of them fits
 * @param similarity the cosine of question and chunk, never below 0: unrelated text is commonly
 *     between 0.3 and 0.6, related above
 */
public record Passage(
    String fileId,
    String filename,
    String storeId,
    int ordinal,
    String heading,
    String text,
    double score,
    double similarity,
    Map<String, Object> attributes) {
  public Passage {
    attributes = Map.copyOf(attributes);
  }
}
