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
  boolean accept(RunControl.Body piece) throws ChatBody.BadBody {
    if (bytes.size() + (long) piece.bytes().size() > bodyBytes) {
      throw new ChatBody.BadBody("the body is longer than announced", null);
    }
    bytes = bytes.concat(piece.bytes());
    if (piece.last() && bytes.size() < bodyBytes) {
      throw new ChatBody.BadBody("the body is shorter than announced", null);
    }
    return bytes.size() == bodyBytes;
  }

  /** Reads the complete body and lets go of its bytes. */
  ChatBody parse() throws ChatBody.BadBody {
    ByteString complete = bytes;
    bytes = ByteString.emptyByteString();
    return ChatBody.parse(complete);
  }
}
