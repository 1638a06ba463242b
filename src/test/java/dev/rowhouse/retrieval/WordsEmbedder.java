package dev.rowhouse.retrieval;

import java.util.Locale;

/**
 * An embedder whose vector counts words by their hash: quick, and near for texts with common words.
 */
final class WordsEmbedder implements Embedder {
  private static final int DIMENSIONS = 64;

  @Override
  public float[] embedQuery(String query) {
    return embedPassage(query);
  }

  @Override
  public float[] embedPassage(String passage) {
    float[] vector = new float[DIMENSIONS];
    vector[0] = 0.1f;
    for (String word : passage.toLowerCase(Locale.ROOT).split("\\W+", -1)) {
      vector[Math.floorMod(word.hashCode(), DIMENSIONS)] += 1;
    }
    return Vectors.normalised(vector);
  }

  @Override
  public String model() {
    return "words";
  }

  @Override
  public int dimensions() {
    return DIMENSIONS;
  }

  @Override
  public long tokens(String text) {
    return text.isBlank() ? 0 : text.strip().split("\\s+", -1).length;
  }
}
