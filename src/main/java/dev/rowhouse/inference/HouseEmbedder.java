package dev.rowhouse.inference;

import dev.rowhouse.retrieval.Embedder;

/**
 * The embedder that the house retrieves with. A text is embedded as a passage: whoever embeds a
 * question puts the model's prefix for questions before it.
 */
public final class HouseEmbedder implements TextEmbedder {
  private final Embedder embedder;

  public HouseEmbedder(Embedder embedder) {
    this.embedder = embedder;
  }

  @Override
  public String model() {
    return embedder.model();
  }

  @Override
  public int dimensions() {
    return embedder.dimensions();
  }

  @Override
  public float[] embed(String text) {
    return embedder.embedPassage(text);
  }

  @Override
  public long tokens(String text) {
    return embedder.tokens(text);
  }
}
