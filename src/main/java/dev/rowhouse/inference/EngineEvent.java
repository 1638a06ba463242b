package dev.rowhouse.inference;

import dev.rowhouse.inference.PassageSource.Passage;
import java.util.List;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** What an engine reports. JSON travels as bytes, so that it is parsed once and never rebuilt. */
sealed interface EngineEvent {

  /**
   * A chunk of a stream.
   *
   * @param members the members of its JSON object that follow id, object, created and model,
   *     without braces: {@code "choices":[...]}
   * @param text the text in it, to be counted when nobody else counts
   * @param role whether it names the role of the answer
   * @param token whether it carries something that the client waits for
   * @param finish whether a choice ends with it
   */
  record Chunk(ByteString members, String text, boolean role, boolean token, boolean finish)
      implements EngineEvent {}

  /** A whole answer; members as in {@link Chunk}. The text is empty when usage is known. */
  record Whole(ByteString members, String text) implements EngineEvent {}

  /**
   * What the engine counted.
   *
   * @param json the usage object as the client may see it
   */
  record Usage(long inputTokens, long outputTokens, ByteString json) implements EngineEvent {}

  /** The answer is complete and rests on these passages, the first is [1]. */
  record Done(List<Passage> citations) implements EngineEvent {}

  /** There is no (further) answer. */
  record Failed(Failure failure) implements EngineEvent {}

  /** The one event of a failure. */
  static List<EngineEvent> failed(Failure failure) {
    return List.of(new Failed(failure));
  }

  /**
   * Why a run has no answer, in the words of the HTTP contract.
   *
   * @param says what it tells of the endpoint that was called; absent: nothing
   * @param retryAfterMillis when the upstream wants to be asked again, from then; 0: no word of it
   */
  record Failure(
      String code,
      int httpStatus,
      String message,
      @Nullable String param,
      @Nullable CallOutcome says,
      long retryAfterMillis) {
    static final String UPSTREAM_ERROR = "upstream_error";
    static final String UPSTREAM_TIMEOUT = "upstream_timeout";
    static final String INVALID_REQUEST = "invalid_request_error";
    static final String UNSUPPORTED = "unsupported_value";
    static final String NO_CAPACITY = "no_capacity";

    Failure(String code, int httpStatus, String message, @Nullable String param) {
      this(code, httpStatus, message, param, null, 0);
    }

    static Failure upstream(String message) {
      return new Failure(UPSTREAM_ERROR, 502, message, null);
    }

    static Failure timeout(String message) {
      return new Failure(UPSTREAM_TIMEOUT, 504, message, null);
    }

    static Failure capacity(String message) {
      return new Failure(NO_CAPACITY, 503, message, null);
    }

    static Failure invalid(String message, @Nullable String param) {
      return new Failure(INVALID_REQUEST, 400, message, param);
    }

    static Failure unsupported(String param, String message) {
      return new Failure(UNSUPPORTED, 400, message, param);
    }

    /** A bug of ours: the details are in the log, not in the answer. */
    static Failure internal() {
      return new Failure("internal_error", 500, "the request failed inside the house", null);
    }

    /** The same, and it says this of the endpoint. */
    Failure saying(CallOutcome outcome) {
      return new Failure(code, httpStatus, message, param, outcome, retryAfterMillis);
    }

    /** The same, from an endpoint that wants to be left alone for so long. */
    Failure throttledFor(long millis) {
      return new Failure(code, httpStatus, message, param, CallOutcome.THROTTLED, millis);
    }

    Failure withMessage(String other) {
      return new Failure(code, httpStatus, other, param, says, retryAfterMillis);
    }

    /** Whether another model may do better; a bad request is bad everywhere. */
    boolean mayFallBack() {
      return httpStatus >= 502;
    }

    String type() {
      return httpStatus == 400 ? INVALID_REQUEST : "server_error";
    }
  }
}
