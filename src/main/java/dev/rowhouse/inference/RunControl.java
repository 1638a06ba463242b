package dev.rowhouse.inference;

import org.apache.pekko.util.ByteString;

/** What a gateway tells a run of its request. */
public sealed interface RunControl extends RunMessage, EmbeddingMessage {

  /** A piece of the body, at most 128 KiB so that it fits an Artery frame. */
  record Body(int offset, ByteString bytes, boolean last) implements RunControl {}

  /** The run may send Pieces with numbers below {@code upTo}. */
  record Credit(long upTo) implements RunControl {}

  /** Nobody waits for the answer any more: stop the upstream call and settle what was spent. */
  record Cancel() implements RunControl {}
}
