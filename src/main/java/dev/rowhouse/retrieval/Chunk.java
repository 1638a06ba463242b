package dev.rowhouse.retrieval;

/**
 * A piece of a document that is embedded and found as one.
 *
 * @param ordinal its place in the document, from 0
 * @param heading the path of headings above it, joined by {@code " > "}; empty without one
 * @param text the document's own characters
 * @param overlapChars how many characters at its start repeat the end of the chunk before
 */
record Chunk(int ordinal, String heading, String text, int overlapChars) {
  /** What is embedded and indexed: the headings are context for the words below them. */
  String embeddedText() {
    return heading.isEmpty() ? text : heading + "\n" + text;
  }
}
