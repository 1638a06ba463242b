package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BgeEmbedderTest {
  private final BgeEmbedder embedder = BgeEmbedder.shared(2);

  @Test
  void isOnePerProcess() {
    assertSame(embedder, BgeEmbedder.shared(7));
  }

  @Test
  void givesVectorsOfLengthOneInItsDimensions() {
    float[] vector = embedder.embedPassage("The tenant pays for its tokens.");
    assertEquals(384, vector.length);
    assertEquals(384, embedder.dimensions());
    assertEquals(1.0, Vectors.cosine(vector, vector), 1e-5);
  }

  @Test
  void isNearerToAnAnswerThanToSomethingElse() {
    float[] question = embedder.embedQuery("How long do I have to return a purchase?");
    double answer =
        Vectors.cosine(question, embedder.embedPassage("Goods can be sent back within 30 days."));
    double other =
        Vectors.cosine(question, embedder.embedPassage("The mitochondrion produces energy."));
    assertTrue(answer > other + 0.15, answer + " against " + other);
    assertTrue(answer > 0.6, "cosine of the answer: " + answer);
  }

  @Test
  void isTheSameEachTimeAndBesideOthers() {
    float[] alone = embedder.embedPassage("A text that is embedded again.");
    List<float[]> beside =
        IntStream.range(0, 16)
            .parallel()
            .mapToObj(i -> embedder.embedPassage("A text that is embedded again."))
            .toList();
    beside.forEach(vector -> assertArrayEquals(alone, vector, 0));
  }

  @Test
  void embedsAQueryUnlikeAPassage() {
    double cosine =
        Vectors.cosine(embedder.embedQuery("return goods"), embedder.embedPassage("return goods"));
    assertTrue(cosine < 0.999 && cosine > 0.6, "cosine: " + cosine);
  }

  @Test
  void takesALongTextAnEmptyOneAndALiteralMarker() {
    for (String text : List.of("word ".repeat(5_000), "", "[MASK] [SEP]", "\u0000")) {
      float[] vector = embedder.embedPassage(text);
      assertEquals(1.0, Vectors.cosine(vector, vector), 1e-5);
    }
  }

  @Test
  void keepsAVectorInItsBytes() {
    float[] vector = embedder.embedPassage("bytes");
    assertArrayEquals(vector, Vectors.fromBytes(Vectors.toBytes(vector)), 0);
  }
}
