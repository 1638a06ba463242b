package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class WordPieceTest {
  private static final int LENGTH_MAX = 512;
  private static WordPiece pieces;

  @BeforeAll
  static void readVocabulary() throws IOException {
    try (InputStream in =
        WordPieceTest.class.getResourceAsStream("/bge-small-en-v1.5-q-tokenizer.json")) {
      assertNotNull(in);
      pieces = new WordPiece(new ObjectMapper().readTree(in));
    }
  }

  @Test
  void putsAKnownTextBetweenItsMarkers() {
    assertArrayEquals(new long[] {101, 7592, 2088, 102}, pieces.encode("Hello world", LENGTH_MAX));
  }

  @Test
  void cutsARareWordIntoPieces() {
    // em ##bed ##ding ##s, the example of the reference implementation.
    assertArrayEquals(
        new long[] {101, 7861, 8270, 4667, 2015, 102}, pieces.encode("embeddings", LENGTH_MAX));
  }

  @Test
  void neverTurnsALiteralMarkerIntoASpecialToken() {
    assertArrayEquals(new long[] {101, 1031, 7308, 1033, 102}, pieces.encode("[MASK]", LENGTH_MAX));
    for (long id : pieces.encode("a [CLS] b [SEP] c [PAD] d", 512)) {
      if (id == 0 || id == 103) {
        throw new AssertionError("a special token came out of a text");
      }
    }
    assertEquals(3, pieces.count("[SEP]"));
  }

  @Test
  void dropsAccentsAndCase() {
    assertArrayEquals(pieces.encode("cafe", LENGTH_MAX), pieces.encode("CAFÉ", LENGTH_MAX));
  }

  @Test
  void setsIdeographsApart() {
    assertEquals(" 北  京 ", WordPiece.normalise("北京"));
  }

  @Test
  void dropsControlCharactersAndKeepsLineBreaksAsSpaces() {
    assertEquals("ab c", WordPiece.normalise("a\u0000\u200bb\nc"));
  }

  @Test
  void takesAWordOfOverAHundredCharactersForUnknown() {
    assertArrayEquals(new long[] {101, 100, 102}, pieces.encode("a".repeat(101), LENGTH_MAX));
  }

  @Test
  void endsALongTextWithItsMarker() {
    long[] ids = pieces.encode("word ".repeat(2_000), LENGTH_MAX);
    assertEquals(LENGTH_MAX, ids.length);
    assertEquals(102, ids[LENGTH_MAX - 1]);
  }

  @Test
  void countsWithoutTheMarkers() {
    assertEquals(2, pieces.count("Hello world"));
    assertEquals(0, pieces.count(" \n\t"));
  }
}
