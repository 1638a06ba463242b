package dev.rowhouse.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SentenceScorerTest {
  private static final BgeEmbedder EMBEDDER = BgeEmbedder.shared(2);
  private static final double FIT_SCORE_MIN =
      ConfigFactory.parseResources("retrieval.conf")
          .getDouble("rowhouse.retrieval.sentences.fit-score-min");
  private static final List<Passage> HANDBOOK =
      List.of(
          passage(
              "Shop > Refunds",
              """
              ## Refunds

              Goods can be returned within 30 days of delivery. The refund goes to the card that
              paid. Opened software is excluded.
              """),
          passage(
              "Shop > Delivery",
              """
              ## Delivery

              Parcels leave our warehouse the next working day. Delivery to islands takes up to a
              week. Express costs 9 euros more.
              """),
          passage(
              "Shop > Accounts",
              """
              ## Accounts

              - Passwords have at least 12 characters.
              - An account is locked after five failed attempts.
              - Support can unlock it by phone.
              """),
          passage(
              "Office",
              """
              The office in Bergen opens at nine. Dogs are allowed on Fridays. The coffee machine
              is cleaned by the last person who leaves.
              """));

  private final SentenceScorer scorer = scorer(40);

  private static SentenceScorer scorer(int candidatesMax) {
    return new SentenceScorer(
        EMBEDDER,
        new SentenceVectors(EMBEDDER, 1_000, Duration.ofMinutes(1), InstantSource.system()),
        candidatesMax,
        FIT_SCORE_MIN);
  }

  private static Passage passage(String heading, String text) {
    return new Passage("file-1", "handbook.md", "default", 0, heading, text, 1, 0.7, Map.of());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          How long can I return goods? | Goods can be returned within 30 days of delivery.
          When can I send a purchase back? | Goods can be returned within 30 days of delivery.
          How much is express shipping? | Express costs 9 euros more.
          How long must a password be? | Passwords have at least 12 characters.
          Why is my account locked? | An account is locked after five failed attempts.
          At what time does the office open? | The office in Bergen opens at nine.
          Can I bring my dog to work? | Dogs are allowed on Fridays.
          How many days does shipping to an island take? | Delivery to islands takes up to a week.
          """)
  void picksTheSentenceThatAnswers(String question, String answer) {
    Extract extract = scorer.best(question, HANDBOOK, 3);
    assertEquals(answer, extract.sentences().getFirst().text());
    assertTrue(extract.fits(), "score " + extract.sentences().getFirst().score());
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "What is the capital of Australia?",
        "How do vaccines train the immune system?",
        "Who won the world cup in 1998?",
        "What is the boiling point of ethanol?",
        "Explain quantum entanglement.",
        "How do I bake sourdough bread?",
        "Which planets have rings?",
        "Write a poem about autumn."
      })
  void saysThatNothingFitsAnUnrelatedQuestion(String question) {
    Extract extract = scorer.best(question, HANDBOOK, 3);
    assertFalse(
        extract.fits(),
        extract.sentences().getFirst().text() + " " + extract.sentences().getFirst().score());
  }

  @Test
  void saysThatNothingFitsWhereThereIsNothing() {
    assertFalse(scorer.best("Anything?", List.of(), 3).fits());
    assertFalse(scorer.best(" ", HANDBOOK, 3).fits());
    assertFalse(scorer.best("x", List.of(passage("", "``` ```")), 3).fits());
  }

  @Test
  void pointsToThePassageAndKeepsItsBounds() {
    for (Extract.Sentence sentence :
        scorer.best("How long can I return goods?", HANDBOOK, 50).sentences()) {
      String passage = HANDBOOK.get(sentence.passageIndex()).text().replace('\n', ' ');
      assertTrue(passage.contains(sentence.text()), sentence.text());
      assertTrue(sentence.keywords() >= 0 && sentence.keywords() <= 1);
      assertEquals(sentence.cosine() + 0.5 * sentence.keywords(), sentence.score(), 1e-9);
    }
  }

  @Test
  void embedsNoMoreSentencesThanItMay() {
    Extract extract = scorer(4).best("Can I bring my dog to work?", HANDBOOK, 50);
    assertEquals(4, extract.sentences().size());
  }
}
