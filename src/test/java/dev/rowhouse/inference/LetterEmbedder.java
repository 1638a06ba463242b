package dev.rowhouse.inference;

/** Embeds in three dimensions: the first letter's code, the length, a fraction. A word a token. */
class LetterEmbedder implements TextEmbedder {
  @Override
  public String model() {
    return "letters";
  }

  @Override
  public int dimensions() {
    return 3;
  }

  @Override
  public float[] embed(String text) {
    return new float[] {text.codePointAt(0), text.length(), 0.1f};
  }

  @Override
  public long tokens(String text) {
    return text.split(" ").length;
  }
}
