package dev.rowhouse.inference;

import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.util.ByteString;

/**
 * What a run may send, and what it gathers while it may not. When it is full the run stops reading;
 * the upstream then feels it through TCP.
 */
final class Outbox {
  /** Pieces in a message, so that tiny ones do not make a message of many objects. */
  private static final int PIECES_MAX = 512;

  private final int bytesMax;
  private final List<ByteString> pending = new ArrayList<>();
  private int pendingBytes;
  private long nextNumber;
  private long creditUpTo;

  Outbox(int initialCredit, int bytesMax) {
    this.creditUpTo = initialCredit;
    this.bytesMax = bytesMax;
  }

  /** Credit never shrinks: messages may overtake each other. */
  void credit(long upTo) {
    creditUpTo = Math.max(creditUpTo, upTo);
  }

  void add(ByteString piece) {
    pending.add(piece);
    pendingBytes += piece.size();
  }

  boolean maySend() {
    return !pending.isEmpty() && nextNumber < creditUpTo;
  }

  boolean isFull() {
    return pendingBytes >= bytesMax || pending.size() >= PIECES_MAX;
  }

  boolean isEmpty() {
    return pending.isEmpty();
  }

  /** The number of the message that {@link #take} fills. */
  long nextNumber() {
    return nextNumber;
  }

  /** The pieces of the next message, as many as fit; at least one. */
  List<ByteString> take() {
    int n = 0;
    int bytes = 0;
    while (n < pending.size()
        && n < PIECES_MAX
        && (n == 0 || bytes + pending.get(n).size() <= bytesMax)) {
      bytes += pending.get(n).size();
      n++;
    }
    List<ByteString> taken = List.copyOf(pending.subList(0, n));
    pending.subList(0, n).clear();
    pendingBytes -= bytes;
    nextNumber++;
    return taken;
  }

  /** Whether anything was sent or waits to be. */
  boolean isUsed() {
    return nextNumber > 0 || !pending.isEmpty();
  }
}
