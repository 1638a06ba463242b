package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

class OutboxTest {
  private static ByteString piece(int bytes) {
    return ByteString.fromString("x".repeat(bytes));
  }

  @Test
  void sendsNumbersBelowItsCreditOnly() {
    Outbox outbox = new Outbox(1, 100);
    outbox.add(piece(1));
    assertTrue(outbox.maySend());
    assertEquals(0, outbox.nextNumber());
    assertEquals(List.of(piece(1)), outbox.take());
    outbox.add(piece(2));
    assertFalse(outbox.maySend());
    outbox.credit(2);
    assertTrue(outbox.maySend());
  }

  @Test
  void creditNeverShrinks() {
    Outbox outbox = new Outbox(1, 100);
    outbox.credit(5);
    outbox.credit(0);
    outbox.add(piece(1));
    outbox.take();
    outbox.add(piece(1));
    assertTrue(outbox.maySend());
  }

  @Test
  void isFullByBytesOrByPieces() {
    Outbox bytes = new Outbox(0, 100);
    bytes.add(piece(99));
    assertFalse(bytes.isFull());
    bytes.add(piece(1));
    assertTrue(bytes.isFull());
    Outbox pieces = new Outbox(0, 100_000);
    for (int i = 0; i < 512; i++) {
      pieces.add(piece(1));
    }
    assertTrue(pieces.isFull());
  }

  @Test
  void aMessageHoldsWhatFitsAndAtLeastOnePiece() {
    Outbox outbox = new Outbox(10, 100);
    outbox.add(piece(60));
    outbox.add(piece(60));
    outbox.add(piece(200));
    assertEquals(1, outbox.take().size());
    assertEquals(1, outbox.take().size());
    assertEquals(200, outbox.take().getFirst().size());
    assertTrue(outbox.isEmpty());
    assertTrue(outbox.isUsed());
  }
}
