package dev.rowhouse.serving;

import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** What a gateway gives the client: exactly one of these for each request. */
public sealed interface Answer {
  /**
   * The attempt that it comes from, which is the {@code x-request-id}: of a request that was tried
   * twice the second, unless the head of a stream was out before that.
   */
  String attempt();

  /** A refusal or a failure before anything was sent. */
  record Refused(String attempt, Refusal refusal, @Nullable LimitsView limits) implements Answer {}

  /** The whole answer as JSON; its usage is durable. */
  record Whole(String attempt, ByteString body, @Nullable LimitsView limits) implements Answer {}

  /** A stream, which ends with {@link Part.Done} or {@link Part.Broken} and never without. */
  record Streamed(String attempt, Source<Part, NotUsed> parts, @Nullable LimitsView limits)
      implements Answer {}

  /** A part of a stream. */
  sealed interface Part {
    /** Chunks in order, each one's JSON. */
    record Chunks(List<ByteString> json) implements Part {}

    /** Still waiting for a slot; keeps the connection alive. */
    record StillQueued() implements Part {}

    /** The stream ends with this error. */
    record Broken(Refusal refusal) implements Part {}

    /** The stream is complete, and its usage durable. */
    record Done() implements Part {}
  }
}
