package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkerTest {
  private static final int CHARS_MAX = 4_000;
  private final Chunker chunker =
      new Chunker(BgeEmbedder.shared(2)::tokens, CHARS_MAX, Integer.MAX_VALUE);

  private static String joined(List<Chunk> chunks) {
    return chunks.stream()
        .map(chunk -> chunk.text().substring(chunk.overlapChars()))
        .collect(Collectors.joining());
  }

  private static String sentences(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "Sentence number " + i + " tells something that matters to somebody. ")
        .collect(Collectors.joining());
  }

  @Test
  void cutsAtSentencesNearTwoHundredTokensWithOneSentenceOfOverlap() throws Exception {
    String text = sentences(100);
    List<Chunk> chunks = chunker.chunk(text, false, ChunkingStrategy.AUTO);
    assertEquals(text, joined(chunks));
    for (Chunk chunk : chunks) {
      assertTrue(BgeEmbedder.shared(2).tokens(chunk.text()) <= 200);
      assertTrue(chunk.text().startsWith("Sentence number"), chunk.text());
    }
    Chunk second = chunks.get(1);
    String overlap = second.text().substring(0, second.overlapChars());
    assertEquals(1, Sentences.split(overlap).size());
    assertTrue(chunks.get(0).text().endsWith(overlap));
  }

  @Test
  void keepsTheHeadingsAboveAChunk() throws Exception {
    String text =
        "# Shop\n\nWelcome.\n\n## Refunds\n\nWithin 30 days.\n\n## Delivery\n\nOne day.\n";
    List<Chunk> chunks = chunker.chunk(text, true, ChunkingStrategy.AUTO);
    assertEquals(text, joined(chunks));
    assertEquals(
        List.of("Shop", "Shop > Refunds", "Shop > Delivery"),
        chunks.stream().map(Chunk::heading).toList());
    assertTrue(chunks.get(1).embeddedText().startsWith("Shop > Refunds\n"));
    assertTrue(chunks.get(1).text().contains("Within 30 days."));
  }

  @Test
  void keepsFencedCodeWholeWhereItFits() throws Exception {
    String code =
        "```java\n"
            + IntStream.range(0, 15)
                .mapToObj(i -> "call(" + i + "); // Stop. Go. Wait.\n")
                .collect(Collectors.joining())
            + "```\n";
    String text = "# Code\n\n" + sentences(10) + "\n\n" + code + "\n" + sentences(5);
    List<Chunk> chunks = chunker.chunk(text, true, ChunkingStrategy.ofStatic(300, 0));
    assertEquals(text, joined(chunks));
    assertTrue(chunks.stream().anyMatch(chunk -> chunk.text().contains(code)));
  }

  @Test
  void honoursAStaticStrategy() throws Exception {
    String text = sentences(120);
    ChunkingStrategy strategy = ChunkingStrategy.ofStatic(150, 50);
    List<Chunk> chunks = chunker.chunk(text, false, strategy);
    assertEquals(text, joined(chunks));
    for (Chunk chunk : chunks) {
      assertTrue(BgeEmbedder.shared(2).tokens(chunk.text()) <= 150);
      String overlap = chunk.text().substring(0, chunk.overlapChars());
      assertTrue(BgeEmbedder.shared(2).tokens(overlap) <= 50);
    }
    assertTrue(
        Sentences.split(chunks.get(1).text().substring(0, chunks.get(1).overlapChars())).size()
            > 1);
  }

  @Test
  void cutsWhatHasNoSentences() throws Exception {
    for (String text :
        List.of(
            "x".repeat(50_000),
            "word ".repeat(20_000),
            "\n".repeat(20_000) + "end",
            "😀".repeat(9_000),
            "e.g. ".repeat(20_000),
            "> ".repeat(200_000),
            "[".repeat(30_000))) {
      List<Chunk> chunks = chunker.chunk(text, true, ChunkingStrategy.AUTO);
      assertEquals(text, joined(chunks));
      chunks.forEach(chunk -> assertTrue(chunk.text().length() <= CHARS_MAX));
    }
  }

  @Test
  void refusesMoreChunksThanAFileMayHave() {
    Chunker small = new Chunker(BgeEmbedder.shared(2)::tokens, CHARS_MAX, 3);
    assertThrows(
        Chunker.TooManyChunks.class,
        () -> small.chunk(sentences(200), false, ChunkingStrategy.AUTO));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89})
  void losesNoCharacterOfARandomDocument(long seed) throws Exception {
    Random random = new Random(seed);
    List<String> parts =
        List.of(
            "# Title\n",
            "## Sub *title*\n\n",
            "Some words, e.g. these. ",
            "More words! ",
            "- item one\n",
            "  - nested item\n",
            "1. first\n",
            "> quoted\n",
            "```\ncode();\n```\n",
            "    indented\n",
            "\n",
            "\n\n",
            "| a | b |\n|---|---|\n",
            "[x]: http://example.com\n",
            "<div>\n",
            "\t",
            "Ünïcödé 北京 😀. ",
            "Setext\n===\n",
            "***\n",
            "\r\n");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      text.append(parts.get(random.nextInt(parts.size())));
    }
    List<Chunk> chunks =
        chunker.chunk(text.toString(), true, ChunkingStrategy.ofStatic(100, random.nextInt(50)));
    assertEquals(text.toString(), joined(chunks));
    for (int i = 0; i < chunks.size(); i++) {
      assertEquals(i, chunks.get(i).ordinal());
    }
  }

  @Test
  void refusesAStrategyOutOfBounds() {
    assertThrows(IllegalArgumentException.class, () -> ChunkingStrategy.ofStatic(99, 0));
    assertThrows(IllegalArgumentException.class, () -> ChunkingStrategy.ofStatic(4097, 0));
    assertThrows(IllegalArgumentException.class, () -> ChunkingStrategy.ofStatic(200, 101));
  }

  @Nested
  class SentencesOfAText {
    @Test
    void endAtTheirMarks() {
      assertEquals(
          List.of("One is here. ", "Is two? ", "Three!"),
          Sentences.split("One is here. Is two? Three!"));
    }

    @Test
    void doNotEndAfterAnAbbreviationOrAnInitial() {
      assertEquals(2, Sentences.split("Dr. J. Smith came, e.g. by Train. He left.").size());
    }

    @Test
    void doNotEndWhereALineWraps() {
      assertEquals(1, Sentences.split("A sentence that\nwraps around.").size());
    }

    @Test
    void endAtAListItem() {
      assertEquals(3, Sentences.split("Fruit\n- apple\n- pear").size());
    }

    @Test
    void areReadWithoutMarksOfMarkdown() {
      assertEquals(
          "See the manual now.", SentenceScorer.plain("- **See** [the `manual`](a.md) _now_."));
      assertEquals("snake_case stays", SentenceScorer.plain("snake_case stays"));
      assertFalse(SentenceScorer.plain("## Title\n\nText.").contains("#"));
    }
  }
}
