package dev.rowhouse.inference;

/** A function from text to a vector, in this process. Calls block on a processor. */
public interface TextEmbedder {
  /** The public name of the model. */
  String model();

  int dimensions();

  /** The vector of one text, alone: in a batch it would be a slightly different one. */
  float[] embed(String text);

  /** The tokens of the text by the model's own count. */
  long tokens(String text);
}
