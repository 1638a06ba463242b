package dev.rowhouse.inference;

import org.apache.pekko.util.ByteString;

/** The body of a request, as it comes in pieces; never more of it than was announced. */
final class BodyIntake {
  private final int bodyBytes;
  private ByteString bytes = ByteString.emptyByteString();

  BodyIntake(int bodyBytes) {
    this.bodyBytes = bodyBytes;
  }

  /** Where the next piece begins. */
  int offset() {
    return bytes.size();
  }

  /** Whether this piece is the next one; another one answers a question that was asked twice. */
  boolean isNext(RunControl.Body piece) {
    return piece.offset() == bytes.size();
  }

  /** Takes the next piece and says whether it was the last. */
  boolean accept(RunControl.Body piece) throws BadBody {
    if (bytes.size() + (long) piece.bytes().size() > bodyBytes) {
      throw new BadBody("the body is longer than announced", null);
    }
    bytes = bytes.concat(piece.bytes());
    if (piece.last() && bytes.size() < bodyBytes) {
      throw new BadBody("the body is shorter than announced", null);
    }
    return bytes.size() == bodyBytes;
  }

  /** The complete body, of which it lets go. */
  ByteString take() {
    ByteString complete = bytes;
    bytes = ByteString.emptyByteString();
    return complete;
  }
}
