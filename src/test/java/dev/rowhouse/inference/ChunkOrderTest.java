package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.rowhouse.inference.EngineEvent.Chunk;
import java.util.List;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

class ChunkOrderTest {
  private final ChunkOrder order = new ChunkOrder();

  private static Chunk chunk(String text, boolean role, boolean finish) {
    return new Chunk(ByteString.fromString(text), text, role, !text.isEmpty(), finish);
  }

  private static final Chunk ROLE = chunk("", true, false);
  private static final Chunk WORD = chunk("word", false, false);
  private static final Chunk STOP = chunk("", false, true);

  @Test
  void theRoleWaitsForTheFirstToken() {
    assertEquals(List.of(), order.accept(ROLE));
    assertFalse(order.hasToken());
    assertEquals(List.of(ROLE, WORD), order.accept(WORD));
    assertTrue(order.hasToken());
  }

  @Test
  void aStreamThatForgetsTheRoleGetsOne() {
    assertEquals(List.of(AnswerWriter.ROLE_CHUNK, WORD), order.accept(WORD));
    assertEquals(List.of(WORD), order.accept(WORD));
  }

  @Test
  void theLastFinishingChunkIsHeldBack() {
    order.accept(WORD);
    assertEquals(List.of(), order.accept(STOP));
    Chunk other = chunk("b", false, false);
    assertEquals(List.of(STOP, other), order.accept(other));
    Chunk last = chunk("", false, true);
    assertEquals(List.of(), order.accept(last));
    assertEquals(last, order.finish());
    assertEquals(List.of(), order.takeWaiting());
  }

  @Test
  void anAnswerWithoutATokenIsWholeAtItsEnd() {
    order.accept(ROLE);
    order.accept(STOP);
    assertEquals(List.of(ROLE), order.takeWaiting());
    assertEquals(STOP, order.finish());
  }

  @Test
  void aStreamWithoutAReasonGetsOne() {
    order.accept(WORD);
    assertEquals(AnswerWriter.STOP_CHUNK, order.finish());
  }

  @Test
  void emptyChunksDoNotPileUp() {
    Chunk empty = chunk("", false, false);
    int sent = 0;
    for (int i = 0; i < 100; i++) {
      sent += order.accept(empty).size();
    }
    assertTrue(sent > 80, sent + " of 100");
  }
}
