package dev.rowhouse.retrieval;

/**
 * A function from text to a vector of length 1, whose dot products are cosines.
 *
 * <p>Queries and passages are embedded differently, and each text alone: a quantised model gives a
 * slightly different vector for a text that shares a batch. Calls block on a processor.
 */
public interface Embedder {
  float[] embedQuery(String query);

  float[] embedPassage(String passage);

  /** The public name of the model, which an index remembers. */
  String model();

  int dimensions();

  /** The word pieces of a text, without the markers that the model adds. */
  long tokens(String text);
}
